const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const ranges = ["hour", "day", "week", "month"] as const;
export type RangeName = (typeof ranges)[number];

/** What time is looked at; it stands in the address, so that a view can be shared. */
export interface TimeRange {
  range?: RangeName;
  /** Unix ms; both, or neither: a stretch that was zoomed into. */
  since?: number;
  until?: number;
}

const spans: Record<RangeName, { ms: number; stepMs: number }> = {
  hour: { ms: HOUR_MS, stepMs: MINUTE_MS },
  day: { ms: DAY_MS, stepMs: 15 * MINUTE_MS },
  week: { ms: 7 * DAY_MS, stepMs: 2 * HOUR_MS },
  month: { ms: 30 * DAY_MS, stepMs: 6 * HOUR_MS },
};
const STEPS_WANTED = 120;

/** Of an address, where anything may stand. */
export function rangeOf(search: Record<string, unknown>): TimeRange {
  const range = ranges.find((each) => each === search.range);
  const [since, until] = [Number(search.since), Number(search.until)];
  const isZoomed =
    Number.isSafeInteger(since) && Number.isSafeInteger(until) && since > 0 && since < until;
  return { ...(range !== undefined && { range }), ...(isZoomed && { since, until }) };
}

/** What to ask for. `askedStepMs`: left out, as fits the range. `nowMs` is rounded up to the step, so that all who ask within one share the answer. */
export function askedOf(
  range: TimeRange,
  nowMs: number,
  askedStepMs?: number,
): { since: number; until: number; stepMs: number } {
  if (range.since !== undefined && range.until !== undefined) {
    const { since, until } = range;
    const least = Math.ceil((until - since) / STEPS_WANTED / MINUTE_MS) * MINUTE_MS;
    return { since, until, stepMs: Math.max(MINUTE_MS, least) };
  }
  const { ms, stepMs: fitting } = spans[range.range ?? "hour"];
  const stepMs = askedStepMs ?? fitting;
  const until = Math.ceil(nowMs / stepMs) * stepMs;
  return { since: until - ms, until, stepMs };
}
