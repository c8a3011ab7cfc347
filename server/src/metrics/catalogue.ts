import type { Distribution } from "./invocation-sums.ts";

/** One metric: what it counts or measures, in which unit. Its name is the same in the API and in docs/metrics.md; Prometheus is told by names of its own (`exposition/`). */
export interface MetricSpec {
  /** `1`: a number of things. */
  unit: "1" | "ms" | "bytes" | "MiB" | "GB-s";
  /** `invocations`: made of their records, so it is exact and has all labels. `gateway`: sampled and counted there, without outcome and start kind. */
  source: "invocations" | "gateway";
  /** `sum`: of a step. `distribution`: mean and percentiles of a step. `mean`: of those for which it is known. `gauge`: mean and largest of the samples of a step. */
  kind: "sum" | "distribution" | "mean" | "gauge";
  /** Where there are several of it, what tells them apart: they are `name:detail`. */
  detail?: string;
  help: string;
}

export const metricSpecs = {
  invocations: invocations(
    "1",
    "sum",
    "Calls, by when they were admitted; told once they have ended",
  ),
  errors: invocations("1", "sum", "Calls with an outcome that is neither `ok` nor `cancelled`"),
  coldStarts: invocations("1", "sum", "Calls for which a sandbox was started"),
  duration: invocations("ms", "distribution", "Admission until the call was decided: all phases"),
  queue: invocations("ms", "distribution", "Waiting until a sandbox was assigned or a start began"),
  start: invocations(
    "ms",
    "distribution",
    "Start of the sandbox and loading of the code together, of calls that had to wait for that",
  ),
  init: invocations(
    "ms",
    "distribution",
    "Loading of the code alone, of calls that had to wait for it",
  ),
  run: invocations("ms", "mean", "Event sent until the end of the response"),
  kill: invocations(
    "ms",
    "distribution",
    "Decision to kill a sandbox until nothing of it was left, of calls whose sandbox was killed",
  ),
  kills: invocations("1", "sum", "Calls whose sandbox was killed for them, and seen to be gone"),
  cpu: invocations(
    "ms",
    "mean",
    "CPU time of a call, of those for which it could be told (see `cpuMs`)",
  ),
  requestBytes: invocations("bytes", "sum", "Bodies of requests, as they were passed on"),
  responseBytes: invocations("bytes", "sum", "Bodies of responses"),
  gbSeconds: invocations(
    "GB-s",
    "sum",
    "Memory of the function (GiB) times init and run (s); calls at once in one sandbox count one by one",
  ),
  running: gateway("1", "gauge", "Calls inside sandboxes at once"),
  queued: gateway("1", "gauge", "Callers who wait for a sandbox"),
  sandboxes: { ...gateway("1", "gauge", "Sandboxes there are, by state"), detail: "state" },
  memoryReserved: gateway("MiB", "gauge", "Memory that sandboxes hold of the budget"),
  memoryUsed: gateway(
    "MiB",
    "gauge",
    "Memory in use by sandboxes, as read after calls; blank ones are read once",
  ),
  memoryBudget: gateway("MiB", "gauge", "Memory that all sandboxes together may hold"),
  sandboxCpu: gateway(
    "ms",
    "sum",
    "CPU time of sandboxes with all that is in them, start and init included",
  ),
  sandboxGbSeconds: gateway(
    "GB-s",
    "sum",
    "Memory held of the budget (GiB) times how long (s), idle times included",
  ),
  starts: gateway("1", "sum", "Sandboxes that were started"),
  startFailures: gateway("1", "sum", "Sandboxes that their driver could not start"),
  ends: { ...gateway("1", "sum", "Sandboxes that ended, by reason"), detail: "reason" },
  throttled: gateway(
    "1",
    "sum",
    "Calls refused with 429 before they reached a queue; they have no record",
  ),
  lateFrames: gateway(
    "1",
    "sum",
    "Frames of sandboxes that came after the outcome of their call was decided",
  ),
  recordsLost: gateway("1", "sum", "Records that the gateway had to drop, as nobody stored them"),
  logLinesLost: gateway("1", "sum", "Log lines among them"),
  gatewayCpu: gateway("ms", "sum", "CPU time of the gateway's process"),
  gatewayMemory: gateway("MiB", "gauge", "Resident memory of the gateway's process"),
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof metricSpecs;
export const metricNames = Object.keys(metricSpecs) as MetricName[];

/** Metrics whose name is that of a distribution in the store. */
export function distributionOf(name: MetricName): Distribution | null {
  return metricSpecs[name].kind === "distribution" ? (name as Distribution) : null;
}

export function isOfInvocations(name: MetricName): boolean {
  return metricSpecs[name].source === "invocations";
}

/** What is told of each step, by kind. */
export const statisticsOf = {
  sum: ["sum"],
  mean: ["mean"],
  distribution: ["mean", "p50", "p90", "p95", "p99"],
  gauge: ["mean", "max"],
} as const satisfies Record<MetricSpec["kind"], readonly string[]>;
export const percentileRanks = [0.5, 0.9, 0.95, 0.99] as const;

function invocations<K extends MetricSpec["kind"]>(
  unit: MetricSpec["unit"],
  kind: K,
  help: string,
) {
  return { unit, source: "invocations", kind, help } as const;
}

function gateway<K extends MetricSpec["kind"]>(unit: MetricSpec["unit"], kind: K, help: string) {
  return { unit, source: "gateway", kind, help } as const;
}
