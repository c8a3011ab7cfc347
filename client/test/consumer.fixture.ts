// Is not run: shows to a compiler what a user may write, and what has to be refused.
import {
  ApiError,
  type ChangedFunction,
  type Deploy,
  type FunctionView,
  type Client,
  createClient,
  isApiError,
  items,
  pages,
} from "@isola/client";

const client: Client = createClient({ url: "http://127.0.0.1:8081", retries: 3 });

export async function use(): Promise<string> {
  const wanted: Deploy = { name: "a", runtime: "nodejs", files: { "index.mjs": new Uint8Array() } };
  const made: ChangedFunction = await client.deploy(wanted, { onOutput: (line) => line.length });
  const views: FunctionView[] = [];
  for await (const fn of items(client.listFunctions, { sort: "-updatedAt" })) views.push(fn);
  for await (const page of pages((query) => client.listRevisions("a", query), { limit: 2 }))
    page[0]?.revision.toFixed();
  for await (const line of client.followLogs({ level: "warn" })) if (line.level === "error") break;
  for await (const event of client.followEvents({ kind: ["swept"] })) event.message.trim();
  const response: Response = await client.call("a", { method: "POST", body: "x" });
  try {
    await client.patchFunction("a", { memoryMiB: 256 }, { ifMatch: made.etag });
  } catch (error) {
    if (isApiError(error)) return error.details.map(({ path }) => path).join();
    if (error instanceof ApiError) return error.requestId;
  }
  // @ts-expect-error -- not a setting
  await client.patchFunction("a", { memoryMib: 256 });
  // @ts-expect-error -- not a kind of event
  await client.listEvents({ kind: ["nothing"] });
  // @ts-expect-error -- no order of functions
  items(client.listFunctions, { sort: "size" });
  // @ts-expect-error -- a number
  await client.rollback("a", { revision: "1" });
  return response.headers.get("isola-request-id") ?? "";
}
