import assert from "node:assert/strict";
import { test } from "node:test";
import type { GatewaySample, SamplePart } from "../../domain/gateway-sample.ts";
import { gbSecondsOf, type InvocationRecord } from "../../domain/invocation.ts";
import { quantilesOf } from "../../metrics/histogram.ts";
import { DAY, HOUR, MINUTE, type Resolution } from "../../metrics/resolutions.ts";
import type { MetricsQuery } from "../metrics-store.ts";
import type { Store } from "../store.ts";
import { type OpenStore, batchOf, invocation, openFor } from "./fixture.ts";

const MINUTE_MS = 60_000;
/** A begin of a day, in minutes. */
const start = 1_700_006_400_000 / MINUTE_MS;
const at = (minute: number, ms = 0) => (start + minute) * MINUTE_MS + ms;

function asked(change: Partial<MetricsQuery> = {}): MetricsQuery {
  return {
    ...{ filter: {}, groupBy: [], from: start - DAY, until: start + 10 * DAY },
    ...{ stepMinutes: 10 * DAY * 1000, resolution: MINUTE },
    ...change,
  };
}

export function metricCases(open: OpenStore): void {
  test("invocations are counted by minute, function, outcome and start kind, once", async (t) => {
    const { store } = await openFor(t, open);
    const batch = batchOf([
      invocation({ startedAt: at(0), initMs: 4, startMs: 6, startKind: "cold", killMs: null }),
      invocation({ startedAt: at(0, 59_999), responseBytes: 10 }),
      invocation({ startedAt: at(1), outcome: "timeout", functionName: "other" }),
      invocation({ startedAt: at(1), startKind: null, outcome: "platform_error", runMs: null }),
      invocation({ startedAt: at(2), project: "second" }),
    ]);
    await store.recordBatch(batch);
    await store.recordBatch(batch);
    const counts = async (change: Partial<MetricsQuery>) =>
      (await store.sumInvocations(asked(change))).map(({ labels, at: step, sums }) =>
        [...Object.values(labels), step - start, sums.invocations].join(" "),
      );
    assert.deepEqual(await counts({ stepMinutes: 1 }), ["0 2", "1 2", "2 1"]);
    const whole = { stepMinutes: start + DAY };
    assert.deepEqual((await counts({ ...whole, groupBy: ["function"] })).toSorted(), [
      `hello ${-start} 4`,
      `other ${-start} 1`,
    ]);
    assert.deepEqual(
      (await counts({ ...whole, groupBy: ["outcome", "startKind"] })).toSorted(),
      ["ok cold 1", "ok warm 2", "platform_error none 1", "timeout warm 1"].map((text) =>
        text.replace(/(\d)$/, `${-start} $1`),
      ),
    );
    const filter = { project: "default", functionNames: ["hello"], outcome: "ok" };
    const [point] = await store.sumInvocations(asked({ filter }));
    assert.deepEqual(point?.sums, {
      ...{ invocations: 2, durationMicros: 3000, queueMicros: 500, runs: 2, runMicros: 2500 },
      ...{ inits: 1, initMicros: 4000, startMicros: 10_000, requestBytes: 0 },
      ...{
        responseBytes: 5_000_000_010,
        gbSeconds: (0.125 * (4 + 1.25)) / 1000 + (0.125 * 1.25) / 1000,
      },
      ...{ kills: 1, killMicros: 12_500, cpuKnown: 0, cpuMicros: 0 },
    });
  });

  test("metrics of a million invocations say what their records say, whatever is added up when, comes late or comes twice", async (t) => {
    const { store, clock } = await openFor(t, open);
    const all = new Expected();
    clock.stepMs(at(FIRST_MINUTE) - clock.wall());
    const perBatch = 20_000;
    for (let batchAt = 0; batchAt < 50; batchAt += 1) {
      const records = Array.from({ length: perBatch }, (_, place) =>
        recordOf(batchAt * perBatch + place),
      );
      for (const record of records) all.add(record);
      const batch = batchOf(records);
      await store.recordBatch(batch);
      if (batchAt % 7 === 0) await store.recordBatch(batch);
      clock.stepMs(STEP_MS * perBatch);
      if (batchAt % 3 === 0) await store.rollUpMetrics();
    }
    for (const resolution of [MINUTE, HOUR, DAY] as const) await compare(store, all, resolution);
    clock.stepMs(3 * DAY * MINUTE_MS);
    await store.rollUpMetrics();
    for (const resolution of [MINUTE, HOUR, DAY] as const) await compare(store, all, resolution);
    // What is dropped of the minutes is in the hours.
    await store.trimMetrics({
      ...{ minutesKeptMinutes: 60, hoursKeptMinutes: 30 * DAY, daysKeptMinutes: 400 * DAY },
    });
    assert.deepEqual(await store.sumInvocations(asked()), []);
    for (const resolution of [HOUR, DAY] as const) await compare(store, all, resolution);
  });

  test("measures are kept for each pool, each driver and for all, with the largest sample of each", async (t) => {
    const { store } = await openFor(t, open);
    const pool = (functionName: string, values: SamplePart["values"]): SamplePart => ({
      ...{ project: "default", functionName, functionId: functionName, revision: 1 },
      ...{ driver: functionName === "c" ? "docker" : "process", values },
    });
    const samples: GatewaySample[] = [
      { at: at(0), parts: [pool("a", { running: 3 }), pool("b", { running: 1, "ends:idle": 2 })] },
      { at: at(0, 5000), parts: [pool("a", { running: 1 }), pool("b", { running: 4 })] },
      { at: at(1), parts: [pool("c", { running: 2, "sandboxes:busy": 2 })] },
    ];
    await store.recordBatch({ ...batchOf([]), samples, lost: 7 });
    const read = async (change: Partial<MetricsQuery>, ...measures: string[]) =>
      (await store.sumMeasures(asked(change), measures))
        .flatMap(({ labels, values }) =>
          values.map(({ measure, detail, total, most }) =>
            [...Object.values(labels), measure, detail, total, most].join(" "),
          ),
        )
        .toSorted();
    assert.deepEqual(await read({}, "running", "samples"), ["running  11 5", "samples  3 1"]);
    assert.deepEqual(await read({ groupBy: ["driver"] }, "running"), [
      ...["docker running  2 2", "process running  9 5"],
    ]);
    assert.deepEqual(await read({ groupBy: ["function"] }, "running", "ends"), [
      ...["a running  4 3", "b ends idle 2 2", "b running  5 4", "c running  2 2"],
    ]);
    // What several series had at most need not have come together.
    const filter = { functionNames: ["a", "b"] };
    assert.deepEqual(await read({ filter }, "running"), ["running  9 "]);
    assert.deepEqual(await read({ from: 0 }, "recordsLost"), ["recordsLost  7 7"]);
  });

  test("a series that has nothing left is forgotten, and comes back when it has", async (t) => {
    const { store, clock } = await openFor(t, open);
    clock.stepMs(at(0) - clock.wall());
    await store.recordBatch(batchOf([invocation({ startedAt: at(0) })]));
    clock.stepMs(3 * DAY * MINUTE_MS);
    assert.equal(await store.rollUpMetrics(), 4);
    assert.equal(await store.rollUpMetrics(), 0);
    await store.trimMetrics({ minutesKeptMinutes: 0, hoursKeptMinutes: 0, daysKeptMinutes: 60 });
    clock.stepMs(2 * DAY * MINUTE_MS);
    assert.equal(await store.rollUpMetrics(), 0);
    await store.recordBatch(batchOf([invocation({ startedAt: clock.wall() })]));
    const until = start + 10 * DAY;
    const [point, ...others] = await store.sumInvocations(asked({ until, resolution: DAY }));
    assert.deepEqual([point?.sums.invocations, others], [1, []]);
  });
}

/** A million calls in three hours before and after a midnight. */
const STEP_MS = (3 * HOUR * MINUTE_MS) / 1_000_000;
const FIRST_MINUTE = DAY - 100;
const functions = 3;

/** The same for the same number; some were long under way, so that their minute comes late. */
function recordOf(index: number): InvocationRecord {
  const random = (salt: number) =>
    ((Math.imul(index + 1, 2654435761 + salt * 40503) >>> 8) % 1e6) / 1e6;
  const isCold = random(1) < 0.02;
  const isFailed = random(2) < 0.05;
  const lateMs = random(3) < 0.001 ? random(4) * DAY * MINUTE_MS : 0;
  const spread = index % functions === 0 ? 3 : 0.8;
  const runMs = Math.round(1000 * Math.exp(spread * random(5))) / 1000;
  return invocation({
    id: `inv-${index}`,
    functionName: `f${index % functions}`,
    startedAt: at(FIRST_MINUTE) + index * STEP_MS - lateMs,
    outcome: isFailed ? "function_error" : "ok",
    startKind: isCold ? "cold" : "warm",
    ...{ queueMs: isCold ? 0.5 : 0, startMs: isCold ? 20 : null, initMs: isCold ? 5 : null },
    ...{ runMs, totalMs: runMs + (isCold ? 25.5 : 0), responseBytes: index % 1000, killMs: null },
  });
}

/** What the records themselves say. */
class Expected {
  readonly counts = new Map<string, number>();
  readonly durations = new Map<string, number[]>();
  bytes = 0;
  gbSeconds = 0;

  add(record: InvocationRecord): void {
    const { functionName, outcome, startKind, startedAt, totalMs } = record;
    const hour = Math.floor(startedAt / (HOUR * MINUTE_MS)) * HOUR;
    const key = `${functionName} ${outcome} ${startKind} ${hour}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    const durations = this.durations.get(functionName) ?? [];
    this.durations.set(functionName, durations);
    durations.push(totalMs);
    this.bytes += record.responseBytes;
    this.gbSeconds += gbSecondsOf(record) ?? 0;
  }
}

async function compare(store: Store, all: Expected, resolution: Resolution): Promise<void> {
  const groupBy = ["function", "outcome", "startKind"] as const;
  if (resolution !== DAY) {
    const points = await store.sumInvocations(asked({ groupBy, stepMinutes: HOUR, resolution }));
    const counts = points.map(({ labels, at: step, sums }) => [
      `${labels.function} ${labels.outcome} ${labels.startKind} ${step}`,
      sums.invocations,
    ]);
    assert.deepEqual(new Map(counts as [string, number][]), new Map(all.counts));
  }
  const [whole] = await store.sumInvocations(asked({ resolution }));
  assert.equal(whole?.sums.invocations, 1_000_000);
  assert.equal(whole.sums.responseBytes, all.bytes);
  assert.ok(Math.abs(whole.sums.gbSeconds / all.gbSeconds - 1) < 1e-9);
  const ranks = [0.5, 0.9, 0.95, 0.99, 0.999];
  const read = await store.readDistribution(
    asked({ groupBy: ["function"], resolution }),
    "duration",
  );
  assert.equal(read.length, functions);
  for (const { labels, histogram } of read) {
    const sorted = (all.durations.get(String(labels.function)) as number[]).toSorted(
      (a, b) => a - b,
    );
    for (const [place, micros] of quantilesOf(histogram, ranks).entries()) {
      const exact = sorted[Math.ceil((ranks[place] as number) * sorted.length) - 1] as number;
      assert.ok(Math.abs((micros as number) / 1000 / exact - 1) < 0.02, `${micros} ${exact}`);
    }
  }
}
