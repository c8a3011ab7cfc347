import type { Client } from "@isola/api/client";
import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { clientOf } from "./client.ts";
import { functionQueries } from "./function-queries.ts";
import { queries } from "./queries.ts";
import { recordQueries } from "./record-queries.ts";

const DEFAULT_PROJECT = "default";

/** Whose things a page shows: what stands as `project` in its address. */
export interface Scope {
  /** Undefined: all that the key may see. */
  project: string | undefined;
  /** Where one is meant: a function that is looked at, or made. */
  home: string;
  /** Of calls about `home`. */
  api: Client;
  /** For lists that may go over all. */
  lists: { project: string } | { projects: "all" };
}

/** Of an address, where anything may stand. */
export function projectOf(search: Record<string, unknown>): { project?: string } {
  const { project } = search;
  return typeof project === "string" && /^[a-z][a-z0-9-]{0,62}$/.test(project) ? { project } : {};
}

/** What the address is about, and the questions to ask for it. */
export function useScope() {
  const { project } = projectOf(useSearch({ strict: false }));
  const { data: session } = useQuery({ ...queries.session(), enabled: false });
  const home = project ?? session?.project ?? DEFAULT_PROJECT;
  return useMemo(() => {
    const lists = project === undefined ? ({ projects: "all" } as const) : { project };
    const scope: Scope = { project, home, api: clientOf(home), lists };
    return { ...scope, queries: { ...functionQueries(scope), ...recordQueries(scope) } };
  }, [project, home]);
}
