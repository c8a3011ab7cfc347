import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "node:test";
import { TestServer, eventually } from "../harness.ts";
import { callers, callsOf } from "./closed-loop.ts";
import { pidOf } from "./traces.ts";

const STOPPED_MS = 30_000;
const COLD = 10;
/** Far below what 30 s of this load would take, were every record kept as an object. */
const GROWTH_BYTES_MAX = 150 * 1024 * 1024;

/** Some time in the handler keeps the load at a few hundred calls a second: the records of 30 s are counted one by one. */
const paced =
  "export const handler = () => new Promise((resolve) => setTimeout(resolve, 20, 'paced'));";

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** How many records the API has of a function. */
async function recordsOf(server: TestServer, name: string): Promise<number> {
  let count = 0;
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { json } = await server.api(
      "GET",
      `/api/v1/invocations?function=${name}&limit=100${page}`,
    );
    count += json.items.length;
    cursor = json.nextCursor;
  }
  return count;
}

test("with the control plane stopped for 30 s no call fails, warm or cold, and every record comes later", async (t) => {
  const server = await new TestServer({ ISOLA_BLANK_PYTHON: "0" }).start();
  t.after(() => server.dispose());
  await server.deploy("paced", { "index.mjs": paced }, { maxSandboxes: 4 });
  for (let at = 0; at < COLD; at += 1)
    await server.deploy(`cold-${at}`, { "index.mjs": paced.replace("'paced'", `'cold ${at}'`) });
  const gateway = pidOf(server, "gateway");
  const control = pidOf(server, "control");
  const loops = callers(8, `${server.gatewayUrl}/paced`);
  await eventually("the load", async () => callsOf(loops) > 100);
  const residentBefore = residentBytes(gateway);
  process.kill(control, "SIGSTOP");
  try {
    for (let at = 0; at < COLD; at += 1) {
      assert.equal((await server.call(`/cold-${at}`)).text, `cold ${at}`);
      await delay(STOPPED_MS / COLD);
    }
    assert.ok(residentBytes(gateway) - residentBefore < GROWTH_BYTES_MAX);
  } finally {
    process.kill(control, "SIGCONT");
  }
  for (const loop of loops) loop.stop();
  const ends = await Promise.all(loops.map(({ ended }) => ended));
  assert.deepEqual(new Set(ends), new Set(["stopped"]));
  assert.deepEqual([pidOf(server, "gateway"), pidOf(server, "control")], [gateway, control]);
  const calls = callsOf(loops);
  await eventually("every record", async () => (await recordsOf(server, "paced")) === calls);
  for (let at = 0; at < COLD; at += 1) assert.equal(await recordsOf(server, `cold-${at}`), 1);
  const { json } = await server.api("GET", "/api/v1/system");
  assert.equal(json.gateway.recordsLost, 0);
});
