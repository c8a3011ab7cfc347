export interface WatchedQuery {
  id: string;
  isAsking: boolean;
  /** The last answer was none, or an error that may pass. */
  isFailing: boolean;
  /** When what is shown of it came, Unix ms; 0: nothing is. */
  shownAt: number;
}

/** `shownAt`: of the oldest that is shown, Unix ms; 0: nothing is. */
export type Connection = { state: "good" } | { state: "slow" | "down"; shownAt: number };

const SLOW_MS = 4000;

/** How the server answers, by what a page asks of it. `begun` keeps since when each has been asked for. */
export function connectionOf(
  queries: readonly WatchedQuery[],
  { begun, nowMs, before }: { begun: Map<string, number>; nowMs: number; before: Connection },
): Connection {
  for (const { id, isAsking } of queries) {
    if (!isAsking) begun.delete(id);
    else if (!begun.has(id)) begun.set(id, nowMs);
  }
  const late = queries.filter(({ id }) => nowMs - (begun.get(id) ?? nowMs) >= SLOW_MS);
  const failing = queries.filter(({ isFailing }) => isFailing);
  const state = failing.length > 0 ? "down" : late.length > 0 ? "slow" : "good";
  if (state === "good") return before.state === "good" ? before : { state };
  const times = [...failing, ...late].map(({ shownAt }) => shownAt).filter((at) => at > 0);
  const shownAt = times.length === 0 ? 0 : Math.min(...times);
  if (before.state === state && before.shownAt === shownAt) return before;
  return { state, shownAt };
}
