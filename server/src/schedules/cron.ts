import { Cron } from "croner";
import cronstrue from "cronstrue";
import { LRUCache } from "lru-cache";
import { fieldsProblem } from "./cron-fields.ts";

/** Arithmetic of cron expressions. A moment is Unix ms, at the begin of a minute. */

const nicknames: readonly string[] = [
  ...["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"],
];
/** What a field may hold; the calculator knows more, which other crons do not. */
const FIELDS = /^[0-9A-Za-z*,/#-]+( [0-9A-Za-z*,/#-]+){4}$/;
const WORDS = `five fields, as 0 3 * * *, or one of ${nicknames.join(", ")}`;

/** Without blanks that mean nothing. */
export function plainCron(cron: string): string {
  return cron.trim().split(/\s+/).join(" ");
}

/** What was expected instead; null: it can be used, and comes due at some time. */
export function cronProblem(cron: string): string | null {
  const plain = plainCron(cron);
  if (plain.startsWith("@")) return nicknames.includes(plain) ? null : WORDS;
  const fields = plain.split(" ");
  if (fields.length === 6 || fields.length === 7)
    return `${WORDS}; seconds and years cannot be given`;
  const wrong = fields.length === 5 ? fieldsProblem(fields) : null;
  if (wrong !== null) return `${WORDS}; ${wrong}`;
  if (!FIELDS.test(plain)) return WORDS;
  try {
    const isComing = calculator(plain, "UTC").nextRun(new Date(0)) !== null;
    return isComing ? null : "a day that comes: no month has such a one";
  } catch {
    return WORDS; // it speaks of its own parts, not of fields
  }
}

/** Names alone: an offset, which is taken elsewhere, has no summer time. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name }).format(0);
    return true;
  } catch {
    return false; // RangeError is how unknown names are told
  }
}

/** The first moment after `after`; null: there is none. Both arguments have been checked. */
export function nextDue(cron: string, timeZone: string, after: number): number | null {
  return calculator(cron, timeZone).nextRun(new Date(after))?.getTime() ?? null;
}

/** In words: `At 03:00`. */
export function describeCron(cron: string): string {
  try {
    return cronstrue.toString(cron, { use24HourTimeFormat: true });
  } catch {
    return cron; // it lacks words for some of what the calculator knows, as FRI#L
  }
}

/**
 * A time that the change to summer time leaves out comes at its end; of a time that comes twice in autumn the first counts. With `*` or a step in minute or hour it
 * is what the clock shows that counts.
 */
function calculator(cron: string, timezone: string): Cron {
  const key = `${timezone} ${cron}`;
  const known = calculators.get(key);
  if (known !== undefined) return known;
  const fixedTimeRule = "no-wildcard";
  const made = new Cron(cron, { timezone, mode: "5-part", fixedTimeRule, paused: true });
  calculators.set(key, made);
  return made;
}

/** Reading an expression takes longer than computing with it. They hold no time of their own. */
const calculators = new LRUCache<string, Cron>({ max: 200 });
