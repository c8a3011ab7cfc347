import { requestLimits } from "@isola/api/limits";
import { cronOfAws } from "./cron-of-aws.ts";
import type { Findings } from "./findings.ts";
import { freeName } from "./free-name.ts";
import type { ImportedFunction, Schedule } from "./imported.ts";
import { isolaText } from "./open-text.ts";

/** A schedule as isola.yaml has it. What is the default is left out. */
export interface ImportedSchedule {
  name: string;
  cron: string;
  timeZone?: string;
  enabled?: boolean;
  event?: unknown;
}

/** Those of a function that Isola can keep; the others are told. */
export function schedulesOf(fn: ImportedFunction, findings: Findings): ImportedSchedule[] {
  const { schedulesMax, scheduleEventsBytesMax: bytesMax } = requestLimits;
  const taken = new Set<string>();
  const kept: ImportedSchedule[] = [];
  let bytes = 0;
  for (const schedule of fn.schedules) {
    const made = scheduleOf(schedule);
    const { event } = schedule;
    const more = event === null ? 0 : Buffer.byteLength(JSON.stringify(event));
    if (typeof made === "string") findings.leave(schedule.place, made);
    else if (kept.length === schedulesMax)
      findings.leave(
        schedule.place,
        `a function has ${schedulesMax} schedules: one more with the same code can have the others`,
      );
    else if (bytes + more > bytesMax)
      findings.leave(
        schedule.place,
        `inputs of a function have ${bytesMax} bytes as JSON in all: move what is long into a file of the code`,
      );
    else {
      bytes += more;
      kept.push({ name: freeName(schedule.name ?? "", taken, "schedule"), ...made });
    }
  }
  return kept;
}

/** Why not, where it cannot be said. */
function scheduleOf(schedule: Schedule): Omit<ImportedSchedule, "name"> | string {
  const { timeZone, isEnabled, event } = schedule;
  const expression = schedule.expression.replace(/\s+/g, " ").trim();
  const made = cronOfAws(expression);
  if ("why" in made) return `${expression.slice(0, 120)} ${made.why}`;
  if (made.cron.length > requestLimits.cronCharsMax)
    return `its cron has ${made.cron.length} characters and ${requestLimits.cronCharsMax} are taken: two schedules can share its fields`;
  if (timeZone !== null && !isTimeZone(timeZone))
    return `${JSON.stringify(timeZone.slice(0, 80))} is no time zone`;
  const hasZone = timeZone !== null && timeZone !== "UTC" && !made.isRate; // rates have none there
  return {
    cron: made.cron,
    ...(hasZone && { timeZone }),
    ...(!isEnabled && { enabled: false }),
    ...(event !== null && { event: withoutVariables(event) }),
  };
}

function isTimeZone(text: string): boolean {
  try {
    return /^[A-Za-z]/.test(text) && Boolean(new Intl.DateTimeFormat("en", { timeZone: text }));
  } catch {
    return false; // RangeError: that is the question
  }
}

/** JSON whose texts isola.yaml does not look for variables in. */
function withoutVariables(value: unknown): unknown {
  if (typeof value === "string") return isolaText(value);
  if (Array.isArray(value)) return value.map(withoutVariables);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, withoutVariables(one)]),
  );
}
