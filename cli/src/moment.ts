import { usageFailure } from "./command.ts";

const unitsMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Unix ms of `10m` (that long ago), `2026-01-31T12:00:00Z` or Unix ms. */
export function momentOf(text: string, flag: string, nowMs: number): number {
  const [, amount, unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return Math.max(0, nowMs - Number(amount) * (unitsMs[unit] as number));
  if (/^\d{12,14}$/.test(text)) return Number(text);
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at) || at < 0) {
    const expected = "like 10m, 2h, 3d (ago), 2026-01-31T12:00:00Z or Unix time in ms";
    throw usageFailure(`${flag} takes a moment ${expected}, given: ${text}`);
  }
  return at;
}
