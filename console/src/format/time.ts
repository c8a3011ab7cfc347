const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEKS_OF_DAYS = 14;

/** `12 min ago`; a date where it is longer ago than two weeks. `at`: ISO 8601. */
export function timeSince(at: string, nowMs: number): string {
  const ms = nowMs - Date.parse(at);
  if (Number.isNaN(ms)) return "unknown";
  if (ms < MINUTE_MS) return "just now";
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ago`;
  if (ms < WEEKS_OF_DAYS * DAY_MS) return `${Math.floor(ms / DAY_MS)} d ago`;
  return new Date(at).toLocaleDateString();
}

/** `in 12 min`, the other way round; a date where it is further off than two weeks. */
export function timeUntil(at: string, nowMs: number): string {
  const ms = Date.parse(at) - nowMs;
  if (Number.isNaN(ms)) return "unknown";
  if (ms < MINUTE_MS) return ms < 0 ? "now" : "in a minute";
  if (ms < HOUR_MS) return `in ${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `in ${Math.floor(ms / HOUR_MS)} h`;
  if (ms < WEEKS_OF_DAYS * DAY_MS) return `in ${Math.floor(ms / DAY_MS)} d`;
  return new Date(at).toLocaleDateString();
}

/** In the reader's own zone, to the millisecond. */
export function localTime(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "unknown";
  const options = { dateStyle: "medium", timeStyle: "medium" } as const;
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${date.toLocaleString(undefined, options)} (${ms} ms)`;
}

/** `14:03:07.123` */
export function clockTime(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "unknown";
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}
