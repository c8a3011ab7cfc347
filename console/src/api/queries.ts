import type { FunctionListQuery } from "@isola/api/functions";
import type { InvocationListQuery } from "@isola/api/invocations";
import type { MetricsQueryString } from "@isola/api/metrics";
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { packageText } from "../code/package-text.ts";
import { readTar } from "../code/read-tar.ts";
import { type TimeRange, askedOf } from "../metrics/range.ts";
import { api } from "./client.ts";

/** How often what is shown is asked for again; not while the page is hidden. */
export const REFRESH_MS = 5000;
/** Metrics are counted every ten seconds. */
const METRICS_REFRESH_MS = 10_000;
const PROGRESS_MS = 1000;
const FAILURES_SHOWN = 10;
const failures = ["function_error", "timeout", "crash", "out_of_memory", "platform_error"] as const;

/** One entry for each resource, so that every page that shows it shares one request. */
export const queries = {
  session: () =>
    queryOptions({
      queryKey: ["session"],
      queryFn: ({ signal }) => api.getSession({ signal }),
      retry: false,
      staleTime: 60_000,
    }),
  /** Page by page; `functions` begins the keys of everything about functions. */
  functions: (query: Omit<FunctionListQuery, "cursor">) =>
    infiniteQueryOptions({
      queryKey: ["functions", "list", query],
      queryFn: ({ signal, pageParam }) =>
        api.listFunctions(
          { ...query, limit: 100, ...(pageParam !== null && { cursor: pageParam }) },
          { signal },
        ),
      initialPageParam: null as string | null,
      getNextPageParam: ({ nextCursor }) => nextCursor,
    }),
  function: (name: string) =>
    queryOptions({
      queryKey: ["functions", "one", name],
      queryFn: ({ signal }) => api.getFunction(name, { signal }),
      refetchInterval: REFRESH_MS,
    }),
  revisions: (name: string) =>
    infiniteQueryOptions({
      queryKey: ["functions", "revisions", name],
      queryFn: ({ signal, pageParam }) =>
        api.listRevisions(
          name,
          { limit: 50, ...(pageParam !== null && { cursor: pageParam }) },
          { signal },
        ),
      initialPageParam: null as string | null,
      getNextPageParam: ({ nextCursor }) => nextCursor,
    }),
  /** A revision never changes. */
  code: (name: string, revision: number) =>
    queryOptions({
      queryKey: ["code", name, revision],
      queryFn: async ({ signal }) =>
        packageText(readTar(await api.getCode(name, { revision }, { signal }))),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  invocations: (name: string, query: Omit<InvocationListQuery, "cursor">) =>
    infiniteQueryOptions({
      queryKey: ["invocations", name, query],
      queryFn: ({ signal, pageParam }) =>
        api.listInvocations(
          name,
          { ...query, limit: 100, ...(pageParam !== null && { cursor: pageParam }) },
          { signal },
        ),
      initialPageParam: null as string | null,
      getNextPageParam: ({ nextCursor }) => nextCursor,
    }),
  invocation: (id: string) =>
    queryOptions({
      queryKey: ["invocation", id],
      queryFn: ({ signal }) => api.getInvocation(id, { signal }),
    }),
  /** Of a range: the times are worked out when it is asked, so that they move on. */
  metrics: ({
    range,
    ...query
  }: Omit<MetricsQueryString, "since" | "until" | "stepMs"> & { range: TimeRange }) =>
    queryOptions({
      queryKey: ["metrics", range, query],
      queryFn: ({ signal }) =>
        api.getMetrics({ ...query, ...askedOf(range, Date.now()) }, { signal }),
      refetchInterval: range.since === undefined ? METRICS_REFRESH_MS : false,
    }),
  comparisons: () =>
    queryOptions({
      queryKey: ["comparisons", "list"],
      queryFn: ({ signal }) => api.listComparisons({ limit: 50 }, { signal }),
      refetchInterval: REFRESH_MS,
    }),
  /** While it runs its progress is asked for again and again. */
  comparison: (id: string) =>
    queryOptions({
      queryKey: ["comparisons", "one", id],
      queryFn: ({ signal }) => api.getComparison(id, { signal }),
      refetchInterval: ({ state }) => (state.data?.state === "running" ? PROGRESS_MS : false),
    }),
  cost: () =>
    queryOptions({
      queryKey: ["cost"],
      queryFn: ({ signal }) => api.getCost({}, { signal }),
      refetchInterval: 60_000,
    }),
  /** The newest of each way to fail, together. */
  failures: () =>
    queryOptions({
      queryKey: ["failures"],
      queryFn: async ({ signal }) => {
        const lists = await Promise.all(
          failures.map((outcome) =>
            api.listAllInvocations({ outcome, limit: FAILURES_SHOWN }, { signal }),
          ),
        );
        const all = lists.flatMap(({ items }) => items);
        all.sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
        return all.slice(0, FAILURES_SHOWN);
      },
      refetchInterval: METRICS_REFRESH_MS,
    }),
  events: () =>
    queryOptions({
      queryKey: ["events"],
      queryFn: ({ signal }) => api.listEvents({ limit: 100 }, { signal }),
      refetchInterval: REFRESH_MS,
    }),
  system: () =>
    queryOptions({
      queryKey: ["system"],
      queryFn: ({ signal }) => api.getSystem({ signal }),
      refetchInterval: REFRESH_MS,
    }),
  drivers: () =>
    queryOptions({
      queryKey: ["drivers"],
      queryFn: ({ signal }) => api.listDrivers({ signal }),
      refetchInterval: 30_000,
    }),
  runtimes: () =>
    queryOptions({
      queryKey: ["runtimes"],
      queryFn: ({ signal }) => api.listRuntimes({ signal }),
      staleTime: 60_000,
    }),
};
