/** One metric as `GET /metrics` tells it: docs/metrics.md is made of this table, and nothing else is told. Units are those of Prometheus: seconds and bytes. */
export interface ExportedMetric {
  type: "counter" | "gauge" | "histogram";
  /** In the order in which they are told. */
  labels: readonly string[];
  help: string;
}

const ofFunction = ["project", "function", "driver"] as const;

export const exportedMetrics = {
  isola_invocations_total: {
    ...{ type: "counter", labels: ["project", "function", "outcome", "start_kind", "driver"] },
    help: "Calls that have ended; start kind `none`: it never reached a sandbox",
  },
  isola_invocation_errors_total: {
    ...{ type: "counter", labels: ofFunction },
    help: "Calls with an outcome that is neither `ok` nor `cancelled`; 0 where there was none",
  },
  isola_invocation_duration_seconds: {
    ...{ type: "histogram", labels: ofFunction },
    help: "Admission until the call was decided: all phases",
  },
  isola_invocation_queue_seconds: {
    ...{ type: "histogram", labels: ofFunction },
    help: "Waiting until a sandbox was assigned or a start began",
  },
  isola_invocation_start_seconds: {
    ...{ type: "histogram", labels: ["project", "function", "driver", "start_kind"] },
    help: "Start of the sandbox and loading of the code together, of calls that had to wait for that; start kind `cold`: a sandbox was started for the call",
  },
  isola_invocation_init_seconds: {
    ...{ type: "histogram", labels: ofFunction },
    help: "Loading of the code alone, of calls that had to wait for it",
  },
  isola_invocation_cpu_seconds_total: {
    ...{ type: "counter", labels: ofFunction },
    help: "CPU time of calls, of those for which it could be told; all of it is in isola_sandbox_cpu_seconds_total",
  },
  isola_invocation_gigabyte_seconds_total: {
    ...{ type: "counter", labels: ofFunction },
    help: "Memory of the function (GiB) times init and run (s)",
  },
  isola_invocation_kill_seconds: {
    ...{ type: "histogram", labels: ofFunction },
    help: "Decision to kill a sandbox until nothing of it was left, of calls whose sandbox was killed; its count is that of kills",
  },
  isola_invocation_request_bytes_total: {
    ...{ type: "counter", labels: ofFunction },
    help: "Bodies of requests, as they were passed on",
  },
  isola_invocation_response_bytes_total: {
    ...{ type: "counter", labels: ofFunction },
    help: "Bodies of responses",
  },
  isola_invocations_throttled_total: {
    ...{ type: "counter", labels: ofFunction },
    help: "Calls refused with 429 before they reached a queue; they are not among isola_invocations_total",
  },
  isola_invocations_running: {
    ...{ type: "gauge", labels: ofFunction },
    help: "Calls inside sandboxes at once",
  },
  isola_invocations_queued: {
    ...{ type: "gauge", labels: ofFunction },
    help: "Callers who wait for a sandbox",
  },
  isola_sandboxes: {
    ...{ type: "gauge", labels: ["driver", "state"] },
    help: "Sandboxes there are, those of builds among them",
  },
  isola_sandbox_memory_reserved_bytes: {
    ...{ type: "gauge", labels: ["driver"] },
    help: "Memory that sandboxes hold of the budget",
  },
  isola_sandbox_memory_used_bytes: {
    ...{ type: "gauge", labels: ["driver"] },
    help: "Memory in use by sandboxes, as read after calls; blank ones are read once",
  },
  isola_memory_budget_bytes: {
    ...{ type: "gauge", labels: [] },
    help: "Memory that all sandboxes together may hold",
  },
  isola_sandbox_cpu_seconds_total: {
    ...{ type: "counter", labels: ofFunction },
    help: "CPU time of sandboxes with all that is in them, start and init included; no function: blank ones and those of builds",
  },
  isola_sandbox_gigabyte_seconds_total: {
    ...{ type: "counter", labels: ofFunction },
    help: "Memory held of the budget (GiB) times how long (s), idle times included; no function: as above",
  },
  isola_sandbox_starts_total: {
    ...{ type: "counter", labels: ["driver"] },
    help: "Sandboxes that were started",
  },
  isola_sandbox_start_failures_total: {
    ...{ type: "counter", labels: ["driver"] },
    help: "Sandboxes that their driver could not start",
  },
  isola_sandbox_ends_total: {
    ...{ type: "counter", labels: ["driver", "reason"] },
    help: "Sandboxes that ended",
  },
  isola_late_frames_total: {
    ...{ type: "counter", labels: [] },
    help: "Frames of sandboxes that came after the outcome of their call was decided",
  },
  isola_records_lost_total: {
    ...{ type: "counter", labels: [] },
    help: "Records of all kinds (calls, log lines, events) that the gateway had to drop, as nobody stored them",
  },
  isola_log_lines_lost_total: {
    ...{ type: "counter", labels: [] },
    help: "Log lines among them",
  },
  isola_driver_available: {
    ...{ type: "gauge", labels: ["driver", "tier"] },
    help: "1: the driver can run on this machine; else 0",
  },
  isola_gateway_up: {
    ...{ type: "gauge", labels: [] },
    help: "1: the control plane has its gateway; else 0, and what is sampled there is not told",
  },
  isola_process_cpu_seconds_total: {
    ...{ type: "counter", labels: ["process"] },
    help: "CPU time of the gateway's process, of all its lives, and of the control plane's",
  },
  isola_process_resident_memory_bytes: {
    ...{ type: "gauge", labels: ["process"] },
    help: "Resident memory of the gateway's process and of the control plane's",
  },
  isola_counting_since_seconds: {
    ...{ type: "gauge", labels: [] },
    help: "Unix time from which on counters count: the start of the control plane",
  },
  isola_functions_labelled: {
    ...{ type: "gauge", labels: [] },
    help: "Functions that have a label of their own, deleted ones among them until the next start",
  },
  isola_functions_labelled_max: {
    ...{ type: "gauge", labels: [] },
    help: "How many may have (`metricsFunctionsMax`); the others are function `other` of no project",
  },
  isola_build_info: {
    ...{ type: "gauge", labels: ["version", "node"] },
    help: "1; which Isola this is, and on which Node.js",
  },
} as const satisfies Record<string, ExportedMetric>;

export type ExportedName = keyof typeof exportedMetrics;
export const exportedNames = Object.keys(exportedMetrics) as ExportedName[];

/** The labels of a metric, `le` of histograms aside. */
export type LabelsOf<N extends ExportedName> = Record<
  (typeof exportedMetrics)[N]["labels"][number],
  string
>;
export type NameOfType<T extends ExportedMetric["type"]> = {
  [N in ExportedName]: (typeof exportedMetrics)[N]["type"] extends T ? N : never;
}[ExportedName];
