import { nextDue } from "./cron.ts";

/** A moment that is missed by more is not run any more. */
export const LATE_MS_MAX = 10 * 60_000;
/** Counted no further. */
export const MISSED_MAX = 100;

export interface CaughtUp {
  /** The newest moment, where it is not too late to be run. */
  run: number | null;
  /** How many others there are; `MISSED_MAX`: so many or more. */
  missed: number;
}

interface When {
  cron: string;
  timeZone: string;
}

/** What becomes of the due moments from `first`, which is one, up to `now`. */
export function catchUp(when: When, first: number, now: number): CaughtUp {
  const from = now - LATE_MS_MAX;
  const moments = momentsOf(when, first, now);
  const isCut = moments.length > MISSED_MAX;
  // The end of a list that is cut is looked for anew; at most one moment a minute lies there.
  const late = isCut ? momentsOf(when, nextOf(when, from), now) : moments;
  const run = late.findLast((at) => at > from) ?? null;
  const others = run === null || isCut ? moments.length : moments.length - 1;
  return { run, missed: Math.min(others, MISSED_MAX) };
}

function momentsOf(when: When, first: number | null, until: number): number[] {
  const moments: number[] = [];
  for (let at = first; at !== null && at <= until; at = nextOf(when, at)) {
    moments.push(at);
    if (moments.length > MISSED_MAX) break;
  }
  return moments;
}

function nextOf({ cron, timeZone }: When, after: number): number | null {
  return nextDue(cron, timeZone, after);
}
