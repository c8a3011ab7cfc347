import type { FunctionLabels } from "./function-places.ts";
import { SecondsHistogram } from "./seconds-histogram.ts";

/** What was counted of one function on one driver since the control plane started. Nothing in it ever gets less. */
export class FunctionTotals {
  readonly labels: FunctionLabels & { driver: string };
  /** By outcome and start kind, `outcome start-kind`. */
  readonly invocations = new Map<string, number>();
  readonly duration = new SecondsHistogram();
  readonly queue = new SecondsHistogram();
  /** What most calls do not have: made when it is needed. `start` by start kind. */
  readonly start = new Map<string, SecondsHistogram>();
  init: SecondsHistogram | null = null;
  kill: SecondsHistogram | null = null;
  errors = 0;
  cpuMicros = 0;
  gbSeconds = 0;
  requestBytes = 0;
  responseBytes = 0;
  throttled = 0;
  sandboxCpuMs = 0;
  sandboxGbSeconds = 0;

  constructor(labels: FunctionLabels, driver: string) {
    this.labels = { ...labels, driver };
  }
}

/** Those of all functions that have labels of their own, of the others together, and of what belongs to none. */
export class AllFunctionTotals {
  readonly #byFunction = new Map<FunctionLabels, Map<string, FunctionTotals>>();

  /** `labels` as `FunctionPlaces` gives them: the same object for the same function. */
  at(labels: FunctionLabels, driver: string): FunctionTotals {
    const byDriver = this.#byFunction.get(labels) ?? new Map<string, FunctionTotals>();
    this.#byFunction.set(labels, byDriver);
    const totals = byDriver.get(driver) ?? new FunctionTotals(labels, driver);
    byDriver.set(driver, totals);
    return totals;
  }

  *[Symbol.iterator](): Iterator<FunctionTotals> {
    for (const byDriver of this.#byFunction.values()) yield* byDriver.values();
  }
}
