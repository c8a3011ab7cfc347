import { join } from "node:path";
import type { GatewaySample } from "../../server/src/domain/gateway-sample.ts";
import type { InvocationRecord, Outcome } from "../../server/src/domain/invocation.ts";
import { chunkOf } from "../../server/src/records/chunk-writer.ts";
import { invocation } from "../../server/src/store/conformance/fixture.ts";
import { openSqliteStore } from "../../server/src/store/sqlite/open-sqlite-store.ts";
import type { TestServer } from "../../server/test/harness.ts";

const MINUTE_MS = 60_000;
const EVERY_MINUTES = 4;
const MINUTES = 24 * 60;

interface Part {
  name: string;
  runtime: "nodejs" | "python";
  /** Calls in four minutes at the height of the day. */
  most: number;
  /** Of its median call. */
  runMs: number;
  /** One of so many ends with this outcome. */
  failing: { outcome: Outcome; every: number; message: string } | null;
}

const parts: readonly Part[] = [
  { name: "hello", runtime: "nodejs", most: 9, runMs: 1.4, failing: null },
  {
    ...{ name: "orders-api", runtime: "nodejs", most: 14, runMs: 22 },
    failing: {
      outcome: "function_error",
      every: 41,
      message: "TypeError: order.items is undefined",
    },
  },
  {
    ...{ name: "resize-image", runtime: "python", most: 4, runMs: 380 },
    failing: {
      outcome: "timeout",
      every: 57,
      message: "resize-image ran longer than 3000 ms (timeoutMs)",
    },
  },
  {
    ...{ name: "nightly-report", runtime: "python", most: 1, runMs: 1900 },
    failing: { outcome: "out_of_memory", every: 97, message: "more than 128 MiB (memoryMiB)" },
  },
  { name: "webhook", runtime: "nodejs", most: 6, runMs: 6, failing: null },
];

const code = {
  nodejs: {
    "index.mjs":
      "export const handler = (event) => {\n  console.log('asked for', event.rawPath);\n  return `hello from ${event.rawPath}\\n`;\n};\n",
  },
  python: {
    "index.py":
      "def handler(event, context):\n    print('asked for', event['rawPath'])\n    return 'hello from ' + event['rawPath'] + '\\n'\n",
  },
};

/** Deploys a few functions and gives them a day behind them: what pages show is what a server shows that has run since yesterday. The calls of that day are put into the store, since nobody can wait for them; `hello` is called for real. */
export async function setScene(server: TestServer): Promise<void> {
  for (const { name, runtime } of parts)
    await server.deploy(name, code[runtime], {
      runtime,
      description: name === "orders-api" ? "Orders of the shop" : "",
    });
  await server.deploy("never-called", code.nodejs);
  const { memoryBudgetMiB } = (await server.api("GET", "/api/v1/system")).json.gateway;
  await server.stop();
  const store = await openSqliteStore({ path: join(server.dataDir, "isola.db") });
  const until = Date.now() - MINUTE_MS;
  const ids = new Map<string, string>();
  for (const { name } of parts) ids.set(name, (await store.getFunction("default", name)).id);
  const all = { source: "scenery", logs: [] };
  await store.recordBatch({ ...all, batch: 1, invocations: chunkOf(callsUntil(until, ids)) });
  await store.recordBatch({
    ...all,
    batch: 2,
    invocations: null,
    samples: samplesUntil(until, ids, memoryBudgetMiB),
  });
  await store.countInvocations();
  await store.close();
  await server.start();
  for (const path of ["/hello", "/hello/again"]) await server.call(path);
}

/** Quiet by night, busy by day. */
function tide(minute: number): number {
  return 0.15 + 0.85 * Math.sin((minute / MINUTES) * Math.PI) ** 2;
}

function callsUntil(untilMs: number, ids: ReadonlyMap<string, string>): InvocationRecord[] {
  const calls: InvocationRecord[] = [];
  for (let minute = 0; minute < MINUTES; minute += EVERY_MINUTES)
    for (const part of parts) {
      const wanted = part.most * tide(minute) * (1 + 0.3 * Math.sin(minute / 17));
      for (let one = 0; one < Math.round(wanted); one += 1)
        calls.push(
          callOf(part, calls.length, untilMs - (MINUTES - minute) * MINUTE_MS + one * 900),
        );
    }
  for (const call of calls) call.functionId = ids.get(call.functionName) as string;
  return calls.toSorted((a, b) => a.startedAt - b.startedAt);
}

function callOf(part: Part, at: number, startedAt: number): InvocationRecord {
  const { name, runMs: median, failing } = part;
  const failed = failing !== null && at % failing.every === 0 ? failing : null;
  const isCold = at % 61 === 0;
  const runMs = failed?.outcome === "timeout" ? 3000 : median * (0.7 + ((at * 7919) % 100) / 110);
  const [queueMs, startMs] = [0.2, isCold ? 48 : null];
  return invocation({
    ...{ id: `inv-${String(at).padStart(8, "0")}`, functionName: name },
    ...{ runtime: part.runtime === "nodejs" ? "nodejs26" : "python3.11", startedAt },
    ...{ startKind: isCold ? "cold" : "warm", queueMs, startMs, initMs: isCold ? 21 : null, runMs },
    ...{ totalMs: queueMs + (startMs ?? 0) + (isCold ? 21 : 0) + runMs, path: `/${name}` },
    ...{
      outcome: failed?.outcome ?? "ok",
      status: failed === null ? 200 : failed.outcome === "timeout" ? 504 : 502,
    },
    ...{ errorCode: failed?.outcome ?? null, errorMessage: failed?.message ?? null },
    ...{ responseBytes: 180 + ((at * 31) % 900), cpuMs: runMs / 3, memoryPeakBytes: 48 << 20 },
    killMs: failed === null ? null : 9,
  });
}

function samplesUntil(
  untilMs: number,
  ids: ReadonlyMap<string, string>,
  memoryBudget: number,
): GatewaySample[] {
  return Array.from({ length: MINUTES }, (_, minute) => {
    const busy = (most: number) => Math.round((most / 6) * tide(minute));
    const pools = parts.map(({ name, most, runMs }) => ({
      ...{
        project: "default",
        functionName: name,
        functionId: ids.get(name) as string,
        revision: 1,
      },
      driver: "process",
      values: {
        ...{ running: busy(most), "sandboxes:busy": busy(most), "sandboxes:idle": 1 },
        ...{ memoryReserved: 128 * (busy(most) + 1), memoryUsed: 44 * (busy(most) + 1) },
        sandboxCpu: (most * tide(minute) * runMs) / 3,
      },
    }));
    const whole = { project: "", functionName: "", functionId: "", revision: 0, driver: "" };
    const measured = [...pools, { ...whole, values: { memoryBudget } }];
    return { at: untilMs - (MINUTES - minute) * MINUTE_MS, parts: measured };
  });
}
