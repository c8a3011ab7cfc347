import { textOption } from "./arguments.ts";
import { type Options, usageFailure } from "./command.ts";

const unitsMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** The end of the year 9999: a later one has no four digits. */
const LAST_MS = Date.UTC(10_000, 0);

/** What `momentOption` takes, for the help of an option. */
export const MOMENT = "10m, 24h, 7d (ago), a date and time, or Unix ms";

/** Unix ms of an option that is `10m` (that long ago), `2026-01-31T12:00:00Z` or Unix ms; undefined where it was not given. */
export function momentOption(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const [, amount, unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return Math.max(0, Date.now() - Number(amount) * unitMs(unit));
  if (/^\d{12,14}$/.test(text)) return Number(text);
  const at = dateOf(text);
  if (Number.isNaN(at) || at < 0) {
    const expected = "like 10m, 2h, 3d (ago), 2026-01-31T12:00:00Z or Unix time in ms";
    throw usageFailure(`--${name} takes a moment ${expected}, given: ${text}`);
  }
  return at;
}

/** Unix ms. */
export interface MomentRange {
  since?: number;
  until?: number;
}

/** Of `--since` and `--until`, those that were given. */
export function rangeOptions(options: Options): MomentRange {
  const [since, until] = [momentOption(options, "since"), momentOption(options, "until")];
  return { ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
}

/** Unix ms of an option that is `90d` (from now on) or a date and time. */
export function momentAhead(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const [, amount, unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const at = amount === undefined ? dateOf(text) : Date.now() + Number(amount) * unitMs(unit);
  if (at > Date.now() && at < LAST_MS) return at;
  const expected = "in the future: 12h, 90d, or a date and time like 2030-01-31T12:00:00Z";
  throw usageFailure(`--${name} takes a moment ${expected}, given: ${text}`);
}

function unitMs(unit: string): number {
  return unitsMs[unit] as number;
}

/** NaN where it is no date. */
function dateOf(text: string): number {
  return /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
}
