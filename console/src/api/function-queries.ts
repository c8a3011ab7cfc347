import type { FunctionListQuery } from "@isola/api/functions";
import type { InvocationListQuery } from "@isola/api/invocations";
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { packageText } from "../code/package-text.ts";
import { readTar } from "../code/read-tar.ts";
import { api as server } from "./client.ts";
import type { Scope } from "./project-scope.ts";
import { METRICS_REFRESH_MS, REFRESH_MS, cursorOf, keepsShown, pagedEvery } from "./refresh.ts";

const FIRST_PAGE = 100;
const NEXT_PAGES = 200;

type FunctionsAsked = Omit<FunctionListQuery, "cursor" | "limit" | "project" | "projects">;

/** The first page is small, so that it is there at once. */
function listOf(lists: Scope["lists"], query: FunctionsAsked) {
  return infiniteQueryOptions({
    queryKey: ["functions", "list", lists, query],
    queryFn: ({ signal, pageParam }) => {
      const limit = pageParam === null ? FIRST_PAGE : NEXT_PAGES;
      const place = { limit, ...cursorOf(pageParam) };
      return server.listFunctions({ ...lists, ...query, ...place }, { signal });
    },
    ...pagedEvery(METRICS_REFRESH_MS),
    ...keepsShown,
  });
}

/** Of functions and what belongs to one; `functions` begins the keys of everything about functions. */
export function functionQueries({ api, home, lists }: Scope) {
  return {
    functions: (query: FunctionsAsked) => listOf(lists, query),
    functionsOf: (project: string, query: FunctionsAsked) => listOf({ project }, query),
    function: (name: string) =>
      queryOptions({
        queryKey: ["functions", "one", home, name],
        queryFn: ({ signal }) => api.getFunction(name, { signal }),
        refetchInterval: REFRESH_MS,
      }),
    revisions: (name: string) =>
      infiniteQueryOptions({
        queryKey: ["functions", "revisions", home, name],
        queryFn: ({ signal, pageParam }) =>
          api.listRevisions(name, { limit: 50, ...cursorOf(pageParam) }, { signal }),
        ...pagedEvery(METRICS_REFRESH_MS),
      }),
    schedules: (name: string) =>
      queryOptions({
        queryKey: ["functions", "schedules", home, name],
        queryFn: ({ signal }) => api.listSchedules(name, { signal }),
        refetchInterval: REFRESH_MS,
      }),
    /** A revision never changes. */
    code: (name: string, revision: number) =>
      queryOptions({
        queryKey: ["code", home, name, revision],
        queryFn: async ({ signal }) =>
          packageText(readTar(await api.getCode(name, { revision }, { signal }))),
        staleTime: Number.POSITIVE_INFINITY,
      }),
    invocations: (name: string, query: Omit<InvocationListQuery, "cursor" | "limit">) =>
      infiniteQueryOptions({
        queryKey: ["invocations", home, name, query],
        queryFn: ({ signal, pageParam }) =>
          api.listInvocations(name, { ...query, limit: 100, ...cursorOf(pageParam) }, { signal }),
        ...pagedEvery(REFRESH_MS),
      }),
    invocation: (id: string) =>
      queryOptions({
        queryKey: ["invocation", home, id],
        queryFn: ({ signal }) => api.getInvocation(id, { signal }),
      }),
  };
}
