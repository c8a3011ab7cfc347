// Runs in a folder where the packed client is installed, on any Node.js from version 20 on: everything a script does with a server.
import assert from "node:assert/strict";
import { ApiError, createClient, isApiError, items, pages } from "@isola/client";

const client = createClient({ url: process.env.ISOLA_URL, apiKey: process.env.ISOLA_API_KEY });
const name = process.env.NAME;
const text = (word) => `export default { async fetch(request) {
  console.log("${word}", new URL(request.url).pathname);
  return new Response("${word} " + (await request.text()));
} }`;

const first = await client.deploy({ name, runtime: "nodejs", files: { "index.mjs": text("one") } });
assert.equal(first.liveRevision, 1);
const bytes = new Uint8Array([0, 255, 1, 128]);
const files = { "index.mjs": text("two"), "data/bytes.bin": bytes };
const second = await client.deploy({ name, runtime: "nodejs", memoryMiB: 256, files });
assert.equal(second.memoryMiB, 256);
assert.ok(second.liveRevision > 1);

const answer = await client.call(name, { method: "POST", path: "/a?b=1", body: "body" });
assert.deepEqual([answer.status, await answer.text()], [200, "two body"]);
const invoked = await client.invoke(name, { request: { path: "/c" } });
assert.deepEqual([invoked.outcome, invoked.body], ["ok", "two "]);

const revisions = [];
const ofName = (query) => client.listRevisions(name, query);
for await (const { revision } of items(ofName, { limit: 1 })) revisions.push(revision);
assert.deepEqual(
  revisions,
  Array.from({ length: second.latestRevision }, (_, at) => second.latestRevision - at),
);
let count = 0;
for await (const page of pages(client.listFunctions, { limit: 1 })) count += page.length;
assert.ok(count >= 1);

const lines = client.followLogs({ function: name }, { lastEventId: "0" });
for await (const line of lines) if (line.text === "two /a") break;

const back = await client.rollback(name, { revision: 1 });
assert.equal(back.liveRevision, 1);
assert.equal(await (await client.call(name)).text(), "one ");
await client.deleteFunction(name);
const gone = await client.getFunction(name).catch((error) => error);
assert.ok(gone instanceof ApiError && isApiError(gone, "not_found") && gone.status === 404);
assert.equal(isApiError(new Error("other")), false);

const binary = await client.deploy({ name, runtime: "nodejs", files });
assert.equal(binary.liveRevision, 1);
const tar = await client.getCode(name);
assert.ok(Buffer.from(tar).includes(Buffer.from(bytes)));
await client.deleteFunction(name);
console.log("walked");
