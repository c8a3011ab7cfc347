import { textOption } from "./arguments.ts";
import { type Options, usageFailure } from "./command.ts";

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Unix ms of an option that is a time ago (`30m`, `24h`, `7d`) or an ISO time; undefined where it was not given. */
export function sinceOption(options: Options, name: string, nowMs: number): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const ago = /^(\d{1,6})([smhd])$/.exec(text);
  if (ago !== null) return nowMs - Number(ago[1]) * units[ago[2] as keyof typeof units];
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw usageFailure(`--${name} takes 30m, 24h, 7d or 2026-01-31T12:00:00Z, given: ${text}`);
}
