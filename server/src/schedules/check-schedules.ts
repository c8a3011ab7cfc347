import { isObject, problem } from "@isola/api/explain";
import { requestLimits } from "@isola/api/limits";
import type { ErrorDetail } from "../errors.ts";
import { cronProblem, isTimeZone } from "./cron.ts";

/** It is written and read again in many places, some of which go down one call for each level. */
const EVENT_LEVELS_MAX = 100;

/** What the schema of `schedules` cannot say. Members of the wrong type, and what is too many or too long, are left to the schema. */
export function checkSchedules(schedules: unknown): ErrorDetail[] {
  const { schedulesMax } = requestLimits;
  if (!Array.isArray(schedules) || schedules.length > schedulesMax) return [];
  const details = schedules.flatMap((one: unknown, at) =>
    isObject(one) ? checkOne(one, `schedules[${at}]`) : [],
  );
  return [...details, ...checkNames(schedules), ...checkEvents(schedules)];
}

function checkOne({ cron, timeZone }: Record<string, unknown>, path: string): ErrorDetail[] {
  const { cronCharsMax, timeZoneCharsMax } = requestLimits;
  const details: ErrorDetail[] = [];
  if (typeof cron === "string" && cron !== "" && cron.length <= cronCharsMax) {
    const expected = cronProblem(cron);
    if (expected !== null) details.push(problem(`${path}.cron`, expected, cron));
  }
  const isNamed = typeof timeZone === "string" && timeZone.length <= timeZoneCharsMax;
  if (isNamed && timeZone !== "" && !isTimeZone(timeZone)) {
    const expected = "the name of a time zone, as Europe/Berlin or UTC";
    details.push(problem(`${path}.timeZone`, expected, timeZone));
  }
  return details;
}

function checkNames(schedules: readonly unknown[]): ErrorDetail[] {
  const places = new Map<string, number>();
  return schedules.flatMap((one, at) => {
    if (!isObject(one) || typeof one.name !== "string") return [];
    const first = places.get(one.name);
    if (first === undefined) {
      places.set(one.name, at);
      return [];
    }
    const expected = `a name that schedules[${first}] does not have`;
    return [problem(`schedules[${at}].name`, expected, one.name)];
  });
}

function checkEvents(schedules: readonly unknown[]): ErrorDetail[] {
  const { scheduleEventsBytesMax: bytesMax } = requestLimits;
  const events = schedules.map((one) => (isObject(one) ? one.event : undefined));
  const details = events.flatMap((event, at) => {
    if (!isDeeperThan(EVENT_LEVELS_MAX, event)) return [];
    const expected = `JSON of at most ${EVENT_LEVELS_MAX} levels`;
    return [{ path: `schedules[${at}].event`, expected, given: "more" }];
  });
  if (details.length > 0) return details;
  const given = events.filter((event) => event !== undefined);
  const bytes = given.reduce<number>((sum, one) => sum + bytesOf(one), 0);
  if (bytes <= bytesMax) return [];
  const expected = `events of at most ${bytesMax} bytes of JSON in all`;
  return [{ path: "schedules", expected, given: `${bytes} bytes` }];
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member));
}

function bytesOf(event: unknown): number {
  return Buffer.byteLength(JSON.stringify(event));
}
