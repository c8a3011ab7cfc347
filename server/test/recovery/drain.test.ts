import assert from "node:assert/strict";
import { Agent } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type TestContext, describe, test } from "node:test";
import { TestServer, eventually } from "../harness.ts";
import { callers, callsOf, get, textOf } from "./closed-loop.ts";
import { assertNothingLeft, strayFiles } from "./traces.ts";

const CALLERS = 64;
/** The supervisor takes signals that come this close together for one. */
const REPEAT_MS = 500;

const code = {
  quick: "export const handler = async () => 'quick';",
  slow: "export const handler = () => new Promise((resolve) => setTimeout(resolve, 1500, 'slow'));",
  endless: "export const handler = () => new Promise(() => setInterval(() => {}, 1000));",
  trickle: `export default { fetch: () => new Response(new ReadableStream({
  start: (controller) => controller.enqueue(new TextEncoder().encode("x")) })) };`,
  stream: `const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export default { fetch: () => new Response(new ReadableStream({
  async start(controller) {
    for (let at = 0; at < 15; at += 1) {
      controller.enqueue(new TextEncoder().encode("part " + at + ";"));
      await delay(100);
    }
    controller.close();
  } })) };`,
  large: "export default { fetch: () => new Response('x'.repeat(8_000_000)) };",
};

async function started(
  t: TestContext,
  names: (keyof typeof code)[],
  env = {},
): Promise<TestServer> {
  const server = await new TestServer({ ISOLA_DRAIN_TIMEOUT_MS: "30000", ...env }).start();
  t.after(() => server.dispose());
  for (const name of names)
    await server.deploy(name, { "index.mjs": code[name] }, { maxSandboxes: 4 });
  return server;
}

/** Whether a new connection is refused. */
function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.on("connect", () => resolve(false)).on("error", () => resolve(true));
    socket.on("connect", () => socket.destroy());
  });
}

async function running(server: TestServer, count: number): Promise<void> {
  await eventually(`${count} calls under way`, async () => {
    const { json } = await server.api("GET", "/api/v1/system");
    return json.gateway?.runningInvocations >= count;
  });
}

describe("SIGTERM", () => {
  test("loses no call of a closed loop, nor of slow, streaming and large answers under way", async (t) => {
    const server = await started(t, ["quick", "slow", "stream", "large"]);
    const url = (name: string) => `${server.gatewayUrl}/${name}`;
    const idle = new Agent({ keepAlive: true, maxSockets: 1 });
    const streamer = new Agent({ keepAlive: true, maxSockets: 1 });
    const reader = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const agent of [idle, streamer, reader]) t.after(() => agent.destroy());
    await textOf(await get(url("quick"), idle));
    const slow = get(url("slow"), new Agent()).then(textOf);
    const stream = await get(url("stream"), streamer);
    const large = await get(url("large"), reader); // nobody reads it yet
    const loops = callers(CALLERS, url("quick"));
    await eventually("the load", async () => callsOf(loops) > CALLERS * 10);
    const exited = server.stop("SIGTERM");
    await eventually("the end of the listener", () => isRefused(server.gatewayUrl));
    const late = await get(url("quick"), idle);
    assert.equal(late.headers.connection, "close");
    assert.equal(await textOf(late), "quick");
    assert.equal(await slow, "slow");
    assert.equal((await textOf(stream)).split(";").length, 16);
    const promised = await get(url("quick"), streamer);
    assert.equal(promised.headers.connection, "close");
    assert.equal(await textOf(promised), "quick");
    const ends = await Promise.all(loops.map(({ ended }) => ended));
    assert.deepEqual(new Set(ends), new Set(["closed"]));
    assert.equal((await textOf(large)).length, 8_000_000);
    assert.equal(await exited, 0);
    await assertNothingLeft(server);
    assert.deepEqual(strayFiles(server), []);
  });

  test("keeps a connection whose answer, begun before it, had promised to be kept", async (t) => {
    const server = await started(t, ["quick", "stream"]);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const stream = await get(`${server.gatewayUrl}/stream`, agent);
    assert.equal(stream.headers.connection, "keep-alive");
    const exited = server.stop("SIGTERM");
    await eventually("the end of the listener", () => isRefused(server.gatewayUrl));
    await textOf(stream); // the last that runs
    await new Promise(setImmediate);
    const promised = await get(`${server.gatewayUrl}/quick`, agent);
    assert.equal(promised.headers.connection, "close");
    assert.equal(await textOf(promised), "quick");
    assert.equal(await exited, 0);
  });

  test("ends the calls that still run at drainTimeoutMs with 503, cuts begun answers, and exits with 0", async (t) => {
    const server = await started(t, ["endless", "trickle"], { ISOLA_DRAIN_TIMEOUT_MS: "200" });
    const calls = Array.from({ length: 6 }, () => server.call("/endless")); // four run, two wait
    const begun = await fetch(`${server.gatewayUrl}/trickle`);
    const cut = assert.rejects(begun.text(), TypeError);
    await running(server, 7);
    assert.equal(await server.stop("SIGTERM"), 0);
    for (const answer of await Promise.all(calls)) {
      assert.deepEqual([answer.status, answer.json.error.code], [503, "shutting_down"]);
      assert.equal(answer.headers.get("connection"), "close");
    }
    await cut;
    await assertNothingLeft(server);
    await server.start();
    const { json } = await server.api("GET", "/api/v1/invocations?limit=10");
    assert.equal(json.items.length, 7);
    for (const { errorCode, outcome } of json.items)
      assert.deepEqual([errorCode, outcome], ["shutting_down", "platform_error"]);
  });

  test("that comes a second time ends everything at once with 143 and leaves nothing behind", async (t) => {
    const server = await started(t, ["endless"]);
    const call = server.call("/endless");
    await running(server, 1);
    const exited = server.stop("SIGTERM");
    await eventually("the drain", () => isRefused(server.gatewayUrl));
    await delay(REPEAT_MS * 1.2); // what is measured from is the first signal
    process.kill(server.pid, "SIGTERM");
    assert.equal(await exited, 143);
    assert.equal((await call).status, 503);
    await assertNothingLeft(server);
    assert.deepEqual(strayFiles(server), []);
  });
});
