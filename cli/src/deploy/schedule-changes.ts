import { isDeepStrictEqual } from "node:util";

/** A schedule with what the server takes for members that are left out, and for blanks. */
interface Settled {
  name: string;
  cron: string;
  timeZone: string;
  enabled: boolean;
  event?: unknown;
}

const EVENT_CHARS_MAX = 200;
const usual = { timeZone: "UTC", enabled: true };

/** As it is once it has been sent, where -0 is 0. What is no list of schedules is left as it is: the server tells. */
export function settledSchedules(schedules: unknown): unknown {
  if (!isList(schedules)) return schedules;
  const sent = JSON.parse(JSON.stringify(schedules)) as Settled[];
  return sent.map((schedule) => {
    const cron = String(schedule.cron).trim().split(/\s+/).join(" ");
    return { ...usual, ...schedule, cron };
  });
}

/** Lines of a difference: schedules that come, that go, and each member that changes. Null: these are no lists of schedules, or empty. */
export function shownSchedules(from: unknown, to: unknown): string[] | null {
  if (!isList(from) || !isList(to) || from.length + to.length === 0) return null;
  const before = new Map(from.map((one) => [one.name, one]));
  const after = new Map((settledSchedules(to) as Settled[]).map((one) => [one.name, one]));
  const lines = [...after].flatMap(([name, schedule]) => {
    const old = before.get(name);
    if (old === undefined) return [`  + schedules.${name}: ${wordsOf(schedule)}`];
    return members
      .filter((member) => !isDeepStrictEqual(old[member], schedule[member]))
      .map(
        (member) =>
          `  ~ schedules.${name}.${member}: ${shown(old[member])} -> ${shown(schedule[member])}`,
      );
  });
  const gone = [...before].filter(([name]) => !after.has(name));
  lines.push(...gone.map(([name, schedule]) => `  - schedules.${name}: ${wordsOf(schedule)}`));
  if (lines.length > 0) return lines;
  const namesOf = (list: readonly Settled[]) => list.map(({ name }) => name).join(", ");
  return [`  ~ schedules: ${namesOf(from)} -> ${namesOf(to)}`];
}

const members = ["cron", "timeZone", "enabled", "event"] as const;

function isList(value: unknown): value is Settled[] {
  return Array.isArray(value) && value.every((one) => typeof one === "object" && one !== null);
}

function wordsOf({ cron, timeZone, enabled, event }: Settled): string {
  const state = enabled ? "" : ", disabled";
  return `${cron} ${timeZone}${state}${event === undefined ? "" : `, event ${shown(event)}`}`;
}

function shown(value: unknown): string {
  if (value === undefined) return "a scheduled event";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > EVENT_CHARS_MAX ? `${text.slice(0, EVENT_CHARS_MAX)}...` : text;
}
