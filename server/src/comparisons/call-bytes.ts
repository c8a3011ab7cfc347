import type { InvokeParams } from "../link/messages.ts";
import { hopByHop } from "../domain/hop-by-hop.ts";
import { requestBytes } from "./http-connection.ts";

/** What the function is called with. */
export type Call = Pick<InvokeParams, "kind" | "method" | "target" | "headers" | "bodyBase64">;

/** The call as a request to the socket of a trial, in base64. Headers that belong to a connection are those of this one. */
export function callBytes({ kind, method, target, headers, bodyBase64 }: Call): string {
  const body = Buffer.from(bodyBase64, "base64");
  if (kind === "event") return requestBytes("/", { method: "POST", body }).toString("base64");
  const own = headers.filter(([name]) => !hopByHop.has(name) && !connectionHeaders.has(name));
  const type = headers.find(([name]) => name === "content-type")?.[1];
  const more = body.length === 0 ? {} : { body, ...(type !== undefined && { type }) };
  return requestBytes(target, { method, headers: own, ...more }).toString("base64");
}

const connectionHeaders: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "content-type",
  "expect",
]);

export function eventCall(event: unknown): Call {
  const bodyBase64 = Buffer.from(JSON.stringify(event)).toString("base64");
  return { kind: "event", method: "", target: "", headers: [], bodyBase64 };
}
