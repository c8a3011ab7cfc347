const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const KiB = 1024;

/** `0.42 ms`, `38 ms`, `1.25 s`, `3 min 20 s`, `26 h`. */
export function duration(ms: number): string {
  if (ms < 10) return `${trimmed(ms, 2)} ms`;
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${trimmed(ms / SECOND_MS, 2)} s`;
  if (ms >= HOUR_MS) {
    const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
    return `${Math.floor(ms / HOUR_MS)} h${minutes === 0 ? "" : ` ${minutes} min`}`;
  }
  const seconds = Math.floor((ms % MINUTE_MS) / SECOND_MS);
  return `${Math.floor(ms / MINUTE_MS)} min${seconds === 0 ? "" : ` ${seconds} s`}`;
}

/** `512 B`, `1.5 KiB`, `12 MiB`, `1.25 GiB`. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let at = 0;
  while (value >= KiB && at < units.length - 1) {
    value /= KiB;
    at += 1;
  }
  return `${at === 0 ? value : trimmed(value, value < 10 ? 2 : value < 100 ? 1 : 0)} ${units[at]}`;
}

export function mebibytes(count: number): string {
  return bytes(count * KiB * KiB);
}

/** `1,234,567` in the reader's own way. */
export function count(value: number): string {
  return value.toLocaleString();
}

/** `0.12 %` of a share between 0 and 1. */
export function percent(share: number): string {
  return `${trimmed(share * 100, share !== 0 && share < 0.1 ? 2 : 1)} %`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** `0.0123`, `1,230` in the reader's own way. */
export function digits(value: number, significant: number): string {
  return value.toLocaleString(undefined, { maximumSignificantDigits: significant });
}
