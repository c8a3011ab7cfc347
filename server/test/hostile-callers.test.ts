import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually, gatewayOf } from "./harness.ts";

describe("callers that do what they should not", () => {
  const server = new TestServer();
  before(() => server.start());
  after(() => server.dispose());

  test("a caller that leaves a call which does not listen is counted once", async () => {
    const code = `export default { async fetch() {
      console.log("inside");
      await new Promise((resolve) => setTimeout(resolve, 5000));
      return new Response("late");
    } }`;
    await server.deploy("deaf", { "index.mjs": code });
    const running = async () =>
      (await server.api("GET", "/api/v1/system")).json.gateway.runningInvocations;
    const leaving = new AbortController();
    const call = server.call("/deaf", { signal: leaving.signal }).catch(() => {});
    await eventually("the call to run", async () => (await running()) === 1);
    await eventually("its line", async () => {
      const logs = await server.api("GET", "/api/v1/functions/deaf/logs");
      return logs.json.items.length > 0;
    });
    leaving.abort();
    await call;
    await eventually("the end of the call", async () => (await running()) <= 0);
    assert.equal(await running(), 0);
  });

  test("a gateway that has just been started again never says that a function does not exist", async () => {
    const code = "export default { fetch: () => new Response('here') }";
    await server.deploy("here", { "index.mjs": code });
    assert.equal((await server.call("/here")).status, 200);
    process.kill(gatewayOf(server), "SIGKILL");
    const seen = new Set<number>();
    await eventually("an answer of the function", async () => {
      try {
        const { status } = await server.call("/here");
        seen.add(status);
        return status === 200;
      } catch {
        return false; // nobody listens yet
      }
    });
    assert.ok(!seen.has(404), `statuses ${[...seen].join(", ")}`);
  });
});
