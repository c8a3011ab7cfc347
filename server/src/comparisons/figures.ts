import {
  type Density,
  type Figure,
  type MixName,
  type Workload,
  figureNames,
  mixFigures,
} from "../domain/comparison.ts";
import { type RevisionSettings, reservedMiBOf } from "../domain/function.ts";
import type { RoundValue } from "./round.ts";
import { spreadOf } from "./statistics.ts";

const NOT_REACHED = "the measurement did not come so far";

/** Every figure that a comparison with these mixes has, from what its rounds told, in the order in which they are shown. */
export function figuresOf(
  rounds: readonly (readonly RoundValue[])[],
  mixes: readonly MixName[],
): Figure[] {
  const workloads: Workload[] = ["function", ...mixes];
  return workloads.flatMap((workload) =>
    (workload === "function" ? figureNames : mixFigures).map((name): Figure => {
      const told = rounds.flatMap((round) =>
        round.filter((one) => one.workload === workload && one.name === name),
      );
      const values = told.map(({ value }) => value).filter((value) => value !== null);
      const rounded = values.map(rounded4);
      const missing = told.find((one) => one.missing !== null)?.missing ?? NOT_REACHED;
      // A median of fewer rounds than the others would not be comparable.
      if (values.length === 0 || values.length < told.length)
        return { workload, name, values: [], median: null, min: null, max: null, missing };
      const { median, min, max } = spreadOf(rounded);
      return { workload, name, values: rounded, median: rounded4(median), min, max, missing: null };
    }),
  );
}

/** Four significant digits: more would claim what no repeat holds. */
function rounded4(value: number): number {
  return Number(value.toPrecision(4));
}

/** From the memory budget of the server and what was measured. */
export function densityOf(
  settings: Pick<RevisionSettings, "driver" | "memoryMiB">,
  memoryBudgetMiB: number,
  figures: readonly Figure[],
): Density {
  const reservedMiB = reservedMiBOf(settings);
  const fitting = (eachMiB: number | null | undefined) =>
    eachMiB ? Math.floor(memoryBudgetMiB / eachMiB) : null;
  const median = (name: Figure["name"]) =>
    figures.find((one) => one.workload === "function" && one.name === name)?.median;
  return {
    memoryBudgetMiB,
    reservedMiB,
    byBudget: Math.floor(memoryBudgetMiB / reservedMiB),
    byIdleMemory: fitting(median("idleMemory")),
    byBusyMemory: fitting(median("busyMemory")),
  };
}
