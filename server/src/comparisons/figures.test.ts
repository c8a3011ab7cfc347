import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { comparisonLimits as ofApi, mixNames as mixNamesOfApi } from "@isola/api/comparisons";
import {
  type FigureName,
  type Workload,
  comparisonLimits,
  figureNames,
  mixNames,
  plannedMsOf,
} from "../domain/comparison.ts";
import { densityOf, figuresOf } from "./figures.ts";
import { type RoundValue, cpuPerCall } from "./round.ts";

function told(workload: Workload, name: FigureName, value: number | null): RoundValue {
  return { workload, name, value, missing: value === null ? "no blank sandbox" : null };
}

const usage = (sandboxes: Record<string, number | null>) => ({
  sandboxes: Object.entries(sandboxes).map(([id, cpuMicros]) => ({
    ...{ id, cpuMicros, memoryBytes: 1 },
  })),
  gatewayCpuMicros: 0,
  startKinds: {},
  otherCalls: 0,
});
const load = { calls: 100, seconds: 1, p50Ms: 1, p99Ms: 2 };

describe("figures of a comparison", () => {
  test("are the median of the rounds with the least and the greatest, every one of them and in one order", () => {
    const rounds = [3.00004, 1, 2].map((value) => [
      told("function", "warmP50", value),
      told("cpu", "warmP50", 10 * value),
    ]);
    const figures = figuresOf(rounds, ["cpu"]);
    assert.deepEqual(
      figures.map(({ workload, name }) => `${workload} ${name}`),
      [
        ...figureNames.map((name) => `function ${name}`),
        ...["cpu warmP50", "cpu warmP99", "cpu cpuPerCall"],
      ],
    );
    const warm = figures.find(({ name }) => name === "warmP50");
    assert.deepEqual(warm, {
      ...{ workload: "function", name: "warmP50", values: [3, 1, 2] },
      ...{ median: 2, min: 1, max: 3, missing: null },
    });
  });

  test("that a round lacks are missing with its reason, whatever the other rounds told", () => {
    const rounds = [1, null, 2].map((value) => [told("function", "coldBlank", value)]);
    const [, blank, next] = figuresOf(rounds, []);
    assert.deepEqual([blank?.median, blank?.values], [null, []]);
    assert.equal(blank?.missing, "no blank sandbox");
    assert.match(next?.missing ?? "", /did not come so far/);
  });

  test("hold four digits, small and large", () => {
    const values = [0.000123456, 123456.7].map((value) => [told("function", "warmP50", value)]);
    const warm = figuresOf(values, []).find(({ name }) => name === "warmP50");
    assert.deepEqual(warm?.values, [0.0001235, 123_500]);
  });

  test("give the density by what the budget takes and by what was measured", () => {
    const rounds = [[told("function", "idleMemory", 12.5), told("function", "busyMemory", 0)]];
    const settings = { driver: "gvisor", memoryMiB: 128 } as const;
    assert.deepEqual(densityOf(settings, 1000, figuresOf(rounds, [])), {
      ...{ memoryBudgetMiB: 1000, reservedMiB: 192, byBudget: 5 },
      ...{ byIdleMemory: 80, byBusyMemory: null },
    });
  });

  test("of CPU count what the same sandboxes used between two moments", () => {
    const before = usage({ a: 1000, b: 500 });
    const after = usage({ a: 3000, b: 1500 });
    assert.equal(cpuPerCall("function", { load, before, after }).value, 30);
  });

  test("of CPU are missing where a sandbox came, went or does not tell", () => {
    const one = usage({ a: 1 });
    for (const [before, after] of [
      [one, usage({ a: 2, b: 5 })],
      [usage({ a: 1, b: 5 }), one],
      [usage({ a: null }), usage({ a: 5 })],
      [one, usage({})],
    ] as const) {
      const { value, missing } = cpuPerCall("function", { load, before, after });
      assert.equal(value, null);
      assert.notEqual(missing, null);
    }
  });
});

describe("what a comparison is asked with", () => {
  test("has the same bounds in the API as here", () => {
    assert.deepEqual(ofApi, comparisonLimits);
    assert.deepEqual([...mixNamesOfApi], mixNames);
  });

  test("tells how long its load takes: rounds by drivers by measurements, with their warm-up", () => {
    const given = { repeats: 3, coldStarts: 1, connections: 1, starts: 1, durationMs: 1000 };
    const drivers = ["process", "docker"] as const;
    const mixes = ["cpu"] as const;
    // 3 rounds x 2 drivers x (2 + 1 mixes) x 1000 ms x 1.25
    assert.equal(plannedMsOf({ ...given, drivers: [...drivers], mixes: [...mixes] }), 22_500);
  });
});
