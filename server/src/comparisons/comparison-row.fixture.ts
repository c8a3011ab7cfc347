import { type DriverResult, type FigureName, figureSpecs, mixNames } from "../domain/comparison.ts";
import type { DriverName } from "../domain/function.ts";
import type { ComparisonRow } from "../store/comparison-store.ts";
import { densityOf, figuresOf } from "./figures.ts";
import type { RoundValue } from "./round.ts";

const medians: Record<FigureName, number> = {
  ...{ coldFresh: 50, coldBlank: 5, warmP50: 0.5, warmP99: 2, callsPerSecond: 4000 },
  ...{ cpuPerCall: 60, gatewayCpuPerCall: 40, idleMemory: 12, busyMemory: 16, startsPerSecond: 25 },
};

/** A driver with every figure: 0.9, 1 and 1.2 times a round number. */
export function measuredDriver(driver: DriverName): DriverResult {
  const rounds = [0.9, 1, 1.2].map((factor) =>
    [...mixNames, "function" as const].flatMap((workload) =>
      (Object.keys(figureSpecs) as FigureName[]).map((name): RoundValue => {
        const value = medians[name] * factor;
        return { workload, name, value, missing: null };
      }),
    ),
  );
  const figures = figuresOf(rounds, mixNames);
  const density = densityOf({ driver, memoryMiB: 128 }, 1024, figures);
  return {
    ...{ driver, tier: "namespaces", versions: { bubblewrap: "0.8.0" }, figures, density },
    ...{ memoryHow: "cgroup v1 memory", state: "measured", reason: null },
  };
}

/** One of two drivers, of which one was not there. */
export function comparisonRow(change: Partial<ComparisonRow> = {}): ComparisonRow {
  const away: DriverResult = {
    ...{ driver: "docker", tier: "none", versions: {}, memoryHow: "", figures: [], density: null },
    ...{ state: "unavailable", reason: "no engine" },
  };
  return {
    ...{ id: "cmp-1", project: "default", functionName: "hello", revision: 3, state: "done" },
    ...{ message: "", otherCalls: 0, startedAt: 1_700_000_000_000, endedAt: 1_700_000_060_000 },
    subject: { runtime: "nodejs26", memoryMiB: 128, tmpMiB: 64, concurrency: 1 },
    parameters: {
      ...{ drivers: ["process", "docker"], repeats: 3, durationMs: 2000, coldStarts: 5 },
      ...{ connections: 8, starts: 8, mixes: [...mixNames], call: "event" },
    },
    machine: {
      ...{ cores: 2, cpuModel: "AMD EPYC", memoryMiB: 8192, kernel: "linux 6.1" },
      ...{ versions: { isola: "0.1.0", node: "26.10.0" }, loadBefore: 0.1 },
    },
    drivers: [measuredDriver("process"), away],
    ...change,
  };
}
