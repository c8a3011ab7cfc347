import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { MetricsView } from "@isola/api/metrics";
import { TestServer, eventually } from "./harness.ts";

let server: TestServer;
/** The kernel counts what sandboxes use. */
let isCounted: boolean;

before(async () => {
  server = await new TestServer().start();
  const drivers = (await server.api("GET", "/api/v1/drivers")).json.items;
  const own = drivers.find((driver: { name: string }) => driver.name === "process");
  isCounted = own.versions.cgroup?.startsWith("v") === true;
});

after(async () => {
  await server.dispose();
});

const spinning = {
  "index.mjs": `
    const spentMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
    export const handler = async (event) => {
      const spin = Number(event.queryStringParameters?.ms ?? 0);
      const until = spentMs() + spin;
      while (spentMs() < until);
      return { statusCode: 200, body: "done" };
    };`,
};

async function recordOf(id: string) {
  return await eventually("the record", async () => {
    const answer = await server.api("GET", `/api/v1/invocations/${id}`);
    return answer.status === 200 ? answer.json : null;
  });
}

async function record(path: string) {
  const answer = await server.call(path);
  return await recordOf(answer.headers.get("isola-request-id") as string);
}

async function sumOf(metric: string, query = "") {
  const answer = await server.api("GET", `/api/v1/metrics?metric=${metric}${query}`);
  const view = answer.json as MetricsView;
  const statistics = view.groups[0]?.metrics[0]?.statistics;
  return (statistics?.sum ?? statistics?.mean)?.whole ?? 0;
}

describe("what a call takes", () => {
  test("is in its record: CPU time where it was alone between two readings, and the most memory so far", async (t) => {
    if (!isCounted) return t.skip("the kernel does not count for this server: see `isola doctor`");
    await server.deploy("spin", spinning);
    const first = await record("/spin?ms=150");
    assert.ok(first.cpuMs >= 150, `${first.cpuMs} ms`);
    assert.ok(first.memoryPeakBytes > 2 ** 20, `${first.memoryPeakBytes} bytes`);
    assert.equal(first.memoryMiB, 128);
    const gbSeconds = (0.125 * (first.initMs + first.runMs)) / 1000;
    assert.ok(Math.abs(first.gbSeconds - gbSeconds) < 1e-6);
    assert.equal(first.responseMs, 0);
    const idle = await eventually("a later reading", async () => {
      const { startKind, cpuMs } = await record("/spin?ms=0");
      return startKind === "warm" && cpuMs !== null ? { cpuMs } : null;
    });
    assert.ok(idle.cpuMs < 150, `${idle.cpuMs} ms`);
  });

  test("is told of one that was killed, too", async (t) => {
    if (!isCounted) return t.skip("the kernel does not count for this server: see `isola doctor`");
    await server.deploy("killed", spinning, { timeoutMs: 400 });
    const killed = await record("/killed?ms=60000");
    assert.equal(killed.outcome, "timeout");
    assert.ok(killed.killMs > 0);
    assert.ok(killed.cpuMs > 0, `${killed.cpuMs} ms`);
    assert.ok(killed.memoryPeakBytes > 2 ** 20, `${killed.memoryPeakBytes} bytes`);
    assert.equal(killed.responseMs, null);
  });

  test("reaches the metrics, as does what the gateway looks at", async () => {
    await server.deploy("counted", spinning);
    for (let call = 0; call < 3; call += 1) await server.call("/counted?ms=20");
    await eventually(
      "three calls",
      async () => (await sumOf("invocations", "&function=counted")) === 3,
    );
    assert.ok((await sumOf("gbSeconds", "&function=counted")) > 0);
    // A sample is made every five seconds, and CPU time that is read for one is told by the next.
    const missing = new Map([
      ["starts", 1],
      ["memoryReserved", 1],
      ["sandboxGbSeconds&function=counted", 0.001],
      ["sandboxCpu&function=counted", isCounted ? 60 : 0],
    ]);
    for (let turn = 0; missing.size > 0 && turn < 300; turn += 1) {
      for (const [metric, least] of missing)
        if ((await sumOf(metric)) >= least) missing.delete(metric);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.deepEqual([...missing.keys()], []);
  });
});
