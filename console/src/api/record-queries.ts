import type { AllInvocationsQuery } from "@isola/api/invocations";
import type { MetricsQueryString } from "@isola/api/metrics";
import { queryOptions } from "@tanstack/react-query";
import { type TimeRange, askedOf } from "../metrics/range.ts";
import { api as server } from "./client.ts";
import type { Scope } from "./project-scope.ts";
import {
  METRICS_REFRESH_MS,
  PROGRESS_MS,
  REFRESH_MS,
  afterFailure,
  every,
  keepsShown,
} from "./refresh.ts";

const COST_REFRESH_MS = 60_000;
const FAILURES_SHOWN = 10;
const failures: NonNullable<AllInvocationsQuery["outcome"]> = [
  ...(["function_error", "timeout", "crash", "out_of_memory", "platform_error"] as const),
];

/** `stepMs`: left out, as fits the range. `project`: left out, those of the scope. */
export type AskedMetrics = Omit<MetricsQueryString, "since" | "until"> & {
  range: TimeRange;
};

/** Of what was recorded and measured. */
export function recordQueries({ api, home, project, lists }: Scope) {
  return {
    /** Of a range: the times are worked out when it is asked, so that they move on. */
    metrics: ({ range, ...asked }: AskedMetrics) => {
      const query = { ...(project !== undefined && { project }), ...asked };
      return queryOptions({
        queryKey: ["metrics", range, query],
        queryFn: ({ signal }) =>
          server.getMetrics({ ...askedOf(range, Date.now(), asked.stepMs), ...query }, { signal }),
        refetchInterval: range.since === undefined ? METRICS_REFRESH_MS : afterFailure,
        ...keepsShown,
      });
    },
    /** The newest calls that did not end well. */
    failures: () =>
      queryOptions({
        queryKey: ["failures", lists],
        queryFn: ({ signal }) =>
          server.listAllInvocations(
            { ...lists, outcome: failures, limit: FAILURES_SHOWN },
            { signal },
          ),
        refetchInterval: METRICS_REFRESH_MS,
      }),
    events: () =>
      queryOptions({
        queryKey: ["events", lists],
        queryFn: ({ signal }) => server.listEvents({ ...lists, limit: 100 }, { signal }),
        refetchInterval: REFRESH_MS,
      }),
    comparisons: () =>
      queryOptions({
        queryKey: ["comparisons", "list", home],
        queryFn: ({ signal }) => api.listComparisons({ limit: 50 }, { signal }),
        refetchInterval: REFRESH_MS,
      }),
    /** While it runs its progress is asked for again and again. */
    comparison: (id: string) =>
      queryOptions({
        queryKey: ["comparisons", "one", home, id],
        queryFn: ({ signal }) => api.getComparison(id, { signal }),
        refetchInterval: ({ state }) =>
          state.data === undefined || state.data.state === "running" ? PROGRESS_MS : false,
      }),
    /** `comparison`: its id, by which drivers are priced; left out: they are not. */
    cost: (comparison?: string) =>
      queryOptions({
        queryKey: ["cost", home, comparison],
        queryFn: ({ signal }) =>
          api.getCost(comparison === undefined ? {} : { comparison }, { signal }),
        refetchInterval: every(COST_REFRESH_MS),
      }),
  };
}
