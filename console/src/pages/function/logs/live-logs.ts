import type { Client } from "@isola/api/client";
import type { LogLineView } from "@isola/api/logs";
import { useEffect, useState } from "react";
import { useScope } from "../../../api/project-scope.ts";
import { explainError } from "../../../format/explain-error.ts";
import type { LogFilter } from "./log-filter.ts";

/** Lines that are held: older ones are found by the list. */
const LINES_MAX = 2000;
const LINES_FIRST = 200;
const SHOW_MS = 200;
const AGAIN_MS = 2000;

export interface LiveLogs {
  /** Oldest first. */
  lines: LogLineView[];
  /** Left out by the server, as they came too fast. */
  dropped: number;
  state: "loading" | "live" | "paused" | "broken";
  problem: string | null;
}

const nothing: LiveLogs = { lines: [], dropped: 0, state: "loading", problem: null };

/** The newest lines of a function, and those that come; not while the page is hidden or `isPaused`. */
export function useLiveLogs(name: string, filter: LogFilter, isPaused: boolean): LiveLogs {
  const { api } = useScope();
  const [logs, setLogs] = useState<LiveLogs>(nothing);
  const key = JSON.stringify(filter);
  useEffect(() => {
    setLogs(nothing);
  }, [api, name, key]);
  useEffect(() => {
    if (isPaused) {
      setLogs((before) => ({ ...before, state: "paused" }));
      return undefined;
    }
    const giveUp = new AbortController();
    const to = { api, signal: giveUp.signal, set: setLogs };
    void follow(name, JSON.parse(key) as LogFilter, to);
    return () => giveUp.abort();
  }, [api, name, key, isPaused]);
  return logs;
}

interface Follow {
  api: Client;
  signal: AbortSignal;
  set(change: (before: LiveLogs) => LiveLogs): void;
}

/** Until it is given up: where it breaks it is begun anew behind the last line that came. */
async function follow(
  name: string,
  filter: LogFilter,
  { api, signal, set }: Follow,
): Promise<void> {
  let last: string | undefined;
  for (; !signal.aborted; ) {
    try {
      const query = { ...filter, function: name };
      const tail = await api.tailLogs(query, { signal, ...(last && { lastEventId: last }) });
      if (last === undefined) {
        const page = await api.listLogs(
          name,
          { ...filter, order: "newest", limit: LINES_FIRST },
          { signal },
        );
        const first = page.items.reverse();
        last = first.at(-1)?.id;
        set((before) => ({ ...before, lines: first, state: "live", problem: null }));
      }
      set((before) => ({ ...before, state: "live", problem: null }));
      let fresh: LogLineView[] = [];
      const show = () => {
        const come = fresh;
        fresh = [];
        if (come.length > 0) set((before) => ({ ...before, lines: joined(before.lines, come) }));
      };
      const timer = setInterval(show, SHOW_MS);
      try {
        for await (const event of tail) {
          if (event.type === "dropped")
            set((before) => ({ ...before, dropped: before.dropped + event.count }));
          if (event.type !== "item") continue;
          last = event.item.id;
          fresh.push(event.item);
          if (fresh.length >= LINES_MAX) show();
        }
      } finally {
        clearInterval(timer);
        show();
      }
    } catch (error) {
      if (signal.aborted) return;
      set((before) => ({ ...before, state: "broken", problem: explainError(error).message }));
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** A line may come twice, by the list and by the tail. */
function joined(before: readonly LogLineView[], come: readonly LogLineView[]): LogLineView[] {
  const known = new Set(before.map(({ id }) => id));
  return [...before, ...come.filter(({ id }) => !known.has(id))].slice(-LINES_MAX);
}
