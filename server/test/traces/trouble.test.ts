import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { TestServer, eventually } from "../harness.ts";
import { Collector, taking } from "./collector.ts";

const collector = new Collector();
let server: TestServer;
const secret = "do-not-tell";

before(async () => {
  await collector.start();
  server = new TestServer({
    ISOLA_TRACES_ENDPOINT: collector.url,
    ISOLA_TRACES_HEADERS: `authorization=${secret}`,
    ISOLA_TRACES_RATIO: "1",
    ISOLA_BLANK_PYTHON: "0",
  });
  await server.start();
  const index = 'export default { fetch: () => new Response("hello") };';
  await server.deploy("hello", { "index.mjs": index });
});

beforeEach(() => {
  collector.answer = taking;
});

after(async () => {
  await server.dispose();
  await collector.stop();
});

/** Its id, once it has been recorded. */
async function call(): Promise<string> {
  const answer = await server.call("/hello");
  assert.equal(answer.text, "hello");
  const id = answer.headers.get("isola-request-id") as string;
  await eventually("the record", async () => {
    const { status } = await server.api("GET", `/api/v1/invocations/${id}`);
    return status === 200 ? true : null;
  });
  return id;
}

async function lost(): Promise<number> {
  return (await server.api("GET", "/api/v1/system")).json.traces.callsLost;
}

test("what a collector refuses is counted and told once, with no secret, and calls and records go on", async () => {
  collector.answer = (_request, response) => response.writeHead(401).end(secret);
  await call();
  await eventually("the loss", async () => ((await lost()) === 1 ? true : null));
  await call();
  await eventually("the other loss", async () => ((await lost()) === 2 ? true : null));
  const events = await eventually("the event", async () => {
    const { json } = await server.api("GET", "/api/v1/events?kind=traces_lost");
    return json.items.length > 0 ? json.items : null;
  });
  assert.equal(events.length, 1);
  assert.equal(events[0].fields.calls, 1);
  assert.equal(server.log.split("did not reach the collector").length, 2);
  collector.answer = taking;
  await collector.spansOf(await call());
  assert.equal(await lost(), 2);
  assert.ok(!server.log.includes(secret) && !JSON.stringify(events).includes(secret));
});

test("a collector that hangs holds up no call and no record, and the server ends all the same", async () => {
  const held: ServerResponse[] = [];
  collector.answer = (_request, response) => void held.push(response);
  for (let calls = 0; calls < 3; calls += 1) await call();
  assert.ok(held.length > 0);
  assert.equal(await server.stop(), 0);
  assert.match(server.log, /did not take traces before the end/);
  for (const response of held) response.destroy();
});

test("spans of the last calls are sent before the server ends", async () => {
  await server.start();
  const answer = await server.call("/hello");
  assert.equal(await server.stop(), 0);
  await collector.spansOf(answer.headers.get("isola-request-id") as string);
});

test("a server whose collector is away starts, and answers", async () => {
  await collector.stop();
  await server.start();
  await call();
});
