import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type InvocationRecord, outcomes } from "../../domain/invocation.ts";
import { chunkOf } from "../../records/chunk-writer.ts";
import { InvocationChunk } from "../../records/invocation-chunk.ts";
import { invocation } from "../../store/conformance/fixture.ts";
import { minutesOfChunks } from "../minutes-of-chunk.ts";
import { hostileNames } from "./hostile-names.fixture.ts";
import { readExposition, sumOf } from "./exposition-reader.fixture.ts";
import { ExpositionText } from "./exposition-text.ts";
import { FunctionPlaces } from "./function-places.ts";
import { gaugesOfSample } from "./gauges-of-sample.ts";
import { RunningTotals } from "./running-totals.ts";
import { secondsBounds } from "./seconds-histogram.ts";
import { tellDrivers } from "./tell-drivers.ts";
import { tellFunctions } from "./tell-functions.ts";

let batches = 0;
function batchOf(records: InvocationRecord[], more: object = {}) {
  batches += 1;
  const invocations = records.length === 0 ? null : chunkOf(records);
  return { source: "gateway", batch: batches, invocations, logs: [], ...more };
}

function totalsFor(names: string[], max = 100): RunningTotals {
  const places = new FunctionPlaces(max);
  for (const name of names) places.put("default", name);
  return new RunningTotals(places);
}

function read(totals: RunningTotals, nowMs = 0) {
  const text = new ExpositionText();
  const sample = totals.lastSample(nowMs, 1000);
  const gauges = sample === null ? null : gaugesOfSample(sample, totals);
  tellFunctions(text, totals, gauges);
  tellDrivers(text, totals, { names: ["process"], states: ["idle", "busy"] }, gauges);
  return readExposition(text.toString());
}

const ms = fc.oneof(fc.nat(2_000_000), fc.nat(2000), fc.constantFrom(5000, 25_000, 9e8 + 1));
const asMs = ms.map((micros) => micros / 1000);
const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const anyRecord = fc
  .record({
    functionName: fc.constantFrom("a", "b", "late"),
    driver: fc.constantFrom("process", "docker"),
    outcome: fc.constantFrom(...outcomes),
    startKind: orNull(fc.constantFrom("cold", "restored", "prewarmed", "warm")),
    memoryMiB: orNull(fc.constantFrom(128, 512)),
    ...{ totalMs: asMs, queueMs: asMs, startMs: orNull(asMs), initMs: orNull(asMs) },
    ...{ runMs: orNull(asMs), killMs: orNull(asMs), cpuMs: orNull(asMs) },
    ...{ requestBytes: fc.nat(), responseBytes: fc.nat() },
  })
  .map((change) => invocation(change as Partial<InvocationRecord>));

describe("running totals", () => {
  test("come to what the metrics of the store come to, and buckets have exactly what is not above their bound", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 60 }), (records) => {
        const totals = totalsFor(["a", "b"]);
        const half = Math.ceil(records.length / 2);
        for (const part of [records.slice(0, half), records.slice(half)])
          totals.add(batchOf(part), 0);
        const samples = read(totals);
        const stored = minutesOfChunks([new InvocationChunk(chunkOf(records))]);
        const exact = stored.filter(({ labels }) => labels.functionName !== "");
        const summed = (pick: (sums: (typeof exact)[0]["sums"]) => number) =>
          exact.reduce((sum, { sums }) => sum + pick(sums), 0);
        const near = (name: string, expected: number) =>
          assert.ok(Math.abs(sumOf(samples, name) - expected) <= 1e-9 * expected, name);
        assert.equal(sumOf(samples, "isola_invocations_total"), records.length);
        assert.equal(
          sumOf(samples, "isola_invocation_errors_total"),
          records.filter(({ outcome }) => outcome !== "ok" && outcome !== "cancelled").length,
        );
        const perSecond = 1e6;
        near("isola_invocation_duration_seconds_sum", summed((s) => s.durationMicros) / perSecond);
        near("isola_invocation_queue_seconds_sum", summed((s) => s.queueMicros) / perSecond);
        near("isola_invocation_init_seconds_sum", summed((s) => s.initMicros) / perSecond);
        near("isola_invocation_start_seconds_sum", summed((s) => s.startMicros) / perSecond);
        near("isola_invocation_kill_seconds_sum", summed((s) => s.killMicros) / perSecond);
        near("isola_invocation_cpu_seconds_total", summed((s) => s.cpuMicros) / perSecond);
        near(
          "isola_invocation_gigabyte_seconds_total",
          summed((s) => s.gbSeconds),
        );
        near(
          "isola_invocation_request_bytes_total",
          summed((s) => s.requestBytes),
        );
        near(
          "isola_invocation_response_bytes_total",
          summed((s) => s.responseBytes),
        );
        assert.equal(
          sumOf(samples, "isola_invocation_kill_seconds_count"),
          summed((s) => s.kills),
        );
        assert.equal(
          sumOf(samples, "isola_invocation_init_seconds_count"),
          summed((s) => s.inits),
        );
        for (const bound of secondsBounds)
          assert.equal(
            sumOf(samples, "isola_invocation_duration_seconds_bucket", { le: String(bound) }),
            records.filter(({ totalMs }) => totalMs <= bound * 1000).length,
            `le ${bound}`,
          );
        for (const outcome of outcomes)
          assert.equal(
            sumOf(samples, "isola_invocations_total", { outcome, function: "a" }),
            records.filter((one) => one.outcome === outcome && one.functionName === "a").length,
          );
      }),
      { numRuns: 60 },
    );
  });

  test("of counters never get less, whatever comes", () => {
    const totals = totalsFor(["a"], 2);
    const before = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 8 }), (records) => {
        totals.add(batchOf(records, { lost: records.length }), 0);
        for (const { name, labels, value } of read(totals)) {
          const key = `${name} ${JSON.stringify(labels)}`;
          assert.ok(value >= (before.get(key) ?? 0), key);
          before.set(key, value);
        }
        for (const key of before.keys()) assert.ok(before.has(key));
      }),
      { numRuns: 50 },
    );
  });
});

describe("labels of functions", () => {
  test("are those of the first that were put, for ever, and the others count together", () => {
    const totals = totalsFor(["f0", "f1", "f2"], 3);
    const call = (name: string) => invocation({ functionName: name });
    totals.add(batchOf([call("f9"), call("f2"), call("f9")]), 0);
    for (let at = 3; at < 5000; at += 1) totals.places.put("default", `f${at}`);
    totals.add(batchOf(Array.from({ length: 5000 }, (_, at) => call(`f${at}`))), 0);
    const samples = read(totals).filter(({ name }) => name === "isola_invocations_total");
    const counts = samples.map(({ labels, value }) => [labels.function, labels.project, value]);
    assert.deepEqual(counts.sort(), [
      ["f0", "default", 1],
      ["f1", "default", 1],
      ["f2", "default", 2],
      ["other", undefined, 4999],
    ]);
  });

  test("keep a function that is called `other` apart from the others", () => {
    const totals = totalsFor(["other"], 1);
    const call = (functionName: string) => invocation({ functionName });
    totals.add(batchOf([call("other"), call("x"), call("y")]), 0);
    const samples = read(totals);
    const own = { project: "default", function: "other" };
    assert.equal(sumOf(samples, "isola_invocations_total", own), 1);
    assert.equal(sumOf(samples, "isola_invocations_total", { function: "other" }), 3);
  });

  test("may be any text: each reads back as it was, and no two fall together", () => {
    const places = new FunctionPlaces(1000);
    const totals = new RunningTotals(places);
    const pairs = hostileNames.flatMap((project) =>
      hostileNames.map((name) => [project, name] as const),
    );
    for (const [project, name] of pairs) places.put(project, name);
    const records = pairs.map(([project, functionName], at) =>
      invocation({ id: `i${at}`, project, functionName, functionId: `fn-${at}` }),
    );
    totals.add(batchOf(records), 0);
    const samples = read(totals).filter(({ name }) => name === "isola_invocations_total");
    assert.deepEqual(
      new Set(samples.map(({ labels }) => JSON.stringify([labels.project, labels.function]))),
      new Set(pairs.map((pair) => JSON.stringify(pair))),
    );
    assert.ok(samples.every(({ value }) => value === 1));
  });

  test("with half a surrogate pair are told as well-formed text", () => {
    const totals = totalsFor(["\ud800"]);
    totals.add(batchOf([invocation({ functionName: "\ud800" })]), 0);
    const one = read(totals).find(({ name }) => name === "isola_invocations_total");
    assert.equal(one?.labels.function, "\ufffd");
  });

  test("bound the number of series, however many functions are called", () => {
    const totals = totalsFor(
      Array.from({ length: 10 }, (_, at) => `f${at}`),
      10,
    );
    const call = (at: number) => invocation({ functionName: `f${at}`, initMs: 1, killMs: 1 });
    totals.add(batchOf(Array.from({ length: 10 }, (_, at) => call(at))), 0);
    totals.add(batchOf([call(10)]), 0);
    const bound = read(totals).length;
    totals.add(batchOf(Array.from({ length: 3000 }, (_, at) => call(at))), 0);
    assert.equal(read(totals).length, bound);
  });
});

describe("what the gateway samples", () => {
  const part = { project: "default", functionName: "a", functionId: "fn-1", revision: 1 };
  const sampleOf = (at: number, ...parts: object[]) => ({ at, parts }) as never;
  const own = { ...part, project: "", functionName: "", functionId: "", revision: 0, driver: "" };

  test("adds up where it counts, and is of the last sample where it looks", () => {
    const totals = totalsFor(["a"]);
    const first = { ...part, driver: "process", values: { throttled: 3, running: 2, starts: 1 } };
    const second = { ...first, revision: 2, values: { running: 5, queued: 7, sandboxCpu: 500 } };
    const idle = { ...own, driver: "process", values: { "sandboxes:idle": 4, memoryReserved: 64 } };
    totals.add(batchOf([], { samples: [sampleOf(1, first, second, idle)] }), 0);
    let samples = read(totals);
    const labels = { project: "default", function: "a", driver: "process" };
    assert.equal(sumOf(samples, "isola_invocations_throttled_total", labels), 3);
    assert.equal(sumOf(samples, "isola_invocations_running", labels), 7);
    assert.equal(sumOf(samples, "isola_invocations_queued", labels), 7);
    assert.equal(sumOf(samples, "isola_sandbox_cpu_seconds_total", labels), 0.5);
    assert.equal(sumOf(samples, "isola_sandboxes", { driver: "process", state: "idle" }), 4);
    assert.equal(sumOf(samples, "isola_sandbox_memory_reserved_bytes"), 64 * 2 ** 20);
    totals.add(batchOf([], { samples: [sampleOf(2, first)] }), 0);
    samples = read(totals);
    assert.equal(sumOf(samples, "isola_invocations_throttled_total", labels), 6);
    assert.equal(sumOf(samples, "isola_invocations_running", labels), 2);
    assert.equal(sumOf(samples, "isola_invocations_queued", labels), 0);
    assert.equal(sumOf(samples, "isola_sandbox_starts_total"), 2);
    assert.equal(sumOf(samples, "isola_sandboxes"), 0);
  });

  test("is not told as of now where it is old, and a batch that waited replaces no later one", () => {
    const totals = totalsFor(["a"]);
    const looked = (running: number) => ({ ...part, driver: "process", values: { running } });
    const [early, late] = [batchOf([]), batchOf([])];
    totals.add({ ...late, samples: [sampleOf(2, looked(2))] }, 0);
    totals.add({ ...early, samples: [sampleOf(1, looked(1))] }, 0);
    assert.equal(sumOf(read(totals), "isola_invocations_running"), 2);
    totals.add({ ...early, source: "the next life", samples: [sampleOf(3, looked(3))] }, 0);
    assert.equal(sumOf(read(totals, 1000), "isola_invocations_running"), 3);
    const names = read(totals, 1001).map(({ name }) => name);
    assert.ok(!names.includes("isola_invocations_running"));
    assert.ok(names.includes("isola_sandbox_starts_total"));
  });
});
