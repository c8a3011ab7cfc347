import { queryOptions } from "@tanstack/react-query";
import { api } from "./client.ts";
import { REFRESH_MS, every } from "./refresh.ts";

const DRIVERS_REFRESH_MS = 30_000;
const PROJECTS_SHOWN = 200;

/** What is the same for every project: one entry for each resource, so that every page that shows it shares one request. */
export const queries = {
  session: () =>
    queryOptions({
      queryKey: ["session"],
      queryFn: ({ signal }) => api.getSession({ signal }),
      retry: false,
      staleTime: 60_000,
    }),
  projects: () =>
    queryOptions({
      queryKey: ["projects"],
      queryFn: ({ signal }) => api.listProjects({ limit: PROJECTS_SHOWN }, { signal }),
      staleTime: 60_000,
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
      refetchInterval: every(DRIVERS_REFRESH_MS),
    }),
  runtimes: () =>
    queryOptions({
      queryKey: ["runtimes"],
      queryFn: ({ signal }) => api.listRuntimes({ signal }),
      staleTime: 60_000,
    }),
};
