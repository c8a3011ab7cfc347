import { randomBytes } from "node:crypto";

const TIME_DIGITS = 9;
const BOOT_DIGITS = 13;
/** More would not fit a number. */
const COUNTER_DIGITS_MAX = 10;

export interface IdParts {
  /** Everything before the counter: the same for ids that one source made in one millisecond. */
  start: string;
  prefix: string;
  /** Unix ms. */
  time: number;
  boot: string;
  counter: number;
}

/** Makes ids that are unique for ever and sort by time: `<prefix>-<time><boot random><counter>`, base 36. Cheap enough for every request. */
export function idSource(prefix: string): () => string {
  const boot = BigInt(`0x${randomBytes(8).toString("hex")}`)
    .toString(36)
    .padStart(BOOT_DIGITS, "0");
  let counter = 0;
  let time = "";
  let timeMs = -1;
  return () => {
    const nowMs = Date.now();
    if (nowMs !== timeMs) {
      timeMs = nowMs;
      time = timeText(nowMs);
    }
    counter += 1;
    return `${prefix}-${time}${boot}${counter.toString(36)}`;
  };
}

export function idOf({ prefix, time, boot, counter }: Omit<IdParts, "start">): string {
  return `${prefix}-${timeText(time)}${boot}${counter.toString(36)}`;
}

/** Takes apart what `idOf` puts together; null for anything else. */
export function idParts(id: string): IdParts | null {
  const timeAt = id.indexOf("-") + 1;
  const bootAt = timeAt + TIME_DIGITS;
  const counterAt = bootAt + BOOT_DIGITS;
  const time = digits(id, timeAt, bootAt);
  const counter = idCounter(id, counterAt);
  if (timeAt < 2 || counter === null || Number.isNaN(time)) return null;
  return {
    start: id.slice(0, counterAt),
    prefix: id.slice(0, timeAt - 1),
    time,
    boot: id.slice(bootAt, counterAt),
    counter,
  };
}

/** The number at the end of an id, from `from` on; null where it is none, or not as an id source writes it. */
export function idCounter(id: string, from: number): number | null {
  const length = id.length - from;
  if (length < 1 || length > COUNTER_DIGITS_MAX || id.charCodeAt(from) === 48) return null;
  const counter = digits(id, from, id.length);
  return Number.isNaN(counter) ? null : counter;
}

/** NaN for what is no number in base 36. */
function digits(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at += 1) number = number * 36 + digit(text.charCodeAt(at));
  return number;
}

function digit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 122 ? code - 87 : Number.NaN;
}

function timeText(timeMs: number): string {
  return timeMs.toString(36).padStart(TIME_DIGITS, "0");
}
