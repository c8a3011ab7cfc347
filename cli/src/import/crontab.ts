import { dirname } from "node:path";
import { inQuotes } from "../quoted-for-shell.ts";
import type { Schedule } from "./imported.ts";

export interface CronLine {
  functionName: string;
  expression: string;
  timeZone: string | null;
  line: string;
}

/** The longest command that Debian's cron takes is 998 characters. */
const COMMAND_CHARS_MAX = 900;
const scheduledEvent = { source: "aws.events", "detail-type": "Scheduled Event", detail: {} };

/** The line of a crontab, or why there is none. */
export function cronLineOf(
  schedule: Schedule,
  functionName: string,
  project?: string,
): CronLine | string {
  const { timeZone, input } = schedule;
  const expression = schedule.expression.replace(/\s+/g, " ").trim(); // it becomes a comment, a line
  const when = cronTimesOf(expression);
  if (when === null)
    return `${expression} cannot be said in a crontab: call \`isola invoke ${functionName}\` by a scheduler that can`;
  if (timeZone !== null && !/^[A-Za-z0-9_+/-]{1,64}$/.test(timeZone))
    return `${JSON.stringify(timeZone.slice(0, 80))} is no time zone`;
  const event = inQuotes(JSON.stringify(input ?? scheduledEvent));
  const whose = project === undefined ? "" : ` --project ${project}`;
  const call = `node "$ISOLA_CLI" invoke ${functionName}${whose} --event ${event}`;
  const command = call.replaceAll("%", "\\%");
  if (command.length > COMMAND_CHARS_MAX)
    return `its input is too long for a crontab: \`isola invoke ${functionName} --event @file\` reads it from a file`;
  return { functionName, expression, timeZone, line: `${when} ${command}` };
}

/** `cli`: the path of the command's file. */
export function crontabOf(lines: readonly CronLine[], cli: string, source: string): string {
  const head = [
    `# Schedules of ${source.replace(/[\p{Cc}\u2028\u2029]/gu, "?")}. Install them: (crontab -l; cat isola.crontab) | crontab -`,
    "# The server has to run then. One on another machine: set ISOLA_URL and ISOLA_API_KEY here.",
    "# Times are those of CRON_TZ. Debian's own cron does not know it and takes the machine's time zone: `apt-get install cronie`, or change the hours.",
    "# What a call answers is mailed to the user; add >/dev/null to a line where it should not be.",
    `ISOLA_CLI=${cli}`,
    `PATH=${[...new Set([dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"])].join(":")}`,
  ];
  let zone: string | null = null;
  const body: string[] = [];
  for (const { timeZone, line, expression } of lines) {
    const wanted = timeZone ?? "UTC";
    if (wanted !== zone) body.push(`CRON_TZ=${wanted}`);
    zone = wanted;
    body.push(`# ${expression}`, line);
  }
  return `${[...head, ...body].join("\n")}\n`;
}

/** The five fields of a crontab; null where they cannot say it. */
export function cronTimesOf(expression: string): string | null {
  const rate = /^rate\(\s*(\d{1,6})\s+(minute|hour|day)s?\s*\)$/.exec(expression);
  if (rate !== null) return rateTimes(Number(rate[1]), rate[2] as keyof typeof minutesOf);
  const cron = /^cron\(\s*(\S+(?:\s+\S+){5})\s*\)$/.exec(expression)?.[1];
  return cron === undefined ? null : cronTimes(cron.split(/\s+/));
}

const minutesOf = { minute: 1, hour: 60, day: 1440 };

function rateTimes(count: number, unit: keyof typeof minutesOf): string | null {
  const minutes = count * minutesOf[unit];
  if (minutes === 0) return null;
  if (minutes === 1) return "* * * * *";
  if (minutes < 60) return 60 % minutes === 0 ? `*/${minutes} * * * *` : null;
  if (minutes === 60) return "0 * * * *";
  if (minutes < 1440) {
    const hours = minutes / 60;
    return Number.isInteger(hours) && 24 % hours === 0 ? `0 */${hours} * * *` : null;
  }
  if (minutes === 1440) return "0 0 * * *";
  return minutes === 7 * 1440 ? "0 0 * * 0" : null;
}

const monthNames = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const dayNames = "SUN MON TUE WED THU FRI SAT".split(" ");

function cronTimes(fields: readonly string[]): string | null {
  const [minute, hour, day, month, weekday, year] = fields as [string, ...string[]];
  if (year !== "*") return null;
  if (!isAny(day) && !isAny(weekday)) return null; // AWS refuses it, and cron would mean either
  const times = [
    field(minute, { least: 0, most: 59 }),
    field(hour, { least: 0, most: 23 }),
    field(day, { least: 1, most: 31 }),
    field(month, { least: 1, most: 12, names: monthNames }),
    weekdays(weekday),
  ];
  return times.includes(null) ? null : times.join(" ");
}

function isAny(text: string | undefined): boolean {
  return text === "*" || text === "?";
}

interface Bounds {
  least: number;
  most: number;
  /** Of `least`, `least` + 1 ... */
  names?: readonly string[];
}

function field(text: string | undefined, bounds: Bounds): string | null {
  if (text === undefined || isAny(text)) return text === undefined ? null : "*";
  const parts = text.split(",").map((part) => partOf(part, bounds));
  return parts.includes(null) ? null : parts.join(",");
}

/** `5`, `1-5`, `*`, each with `/15`; AWS takes `5/15` for `5-59/15`. */
function partOf(text: string, bounds: Bounds): string | null {
  const range = rangeOf(text, bounds);
  if (range === null) return null;
  const { from, to, step } = range;
  if (step === null) return from === to ? String(from) : `${from}-${to}`;
  const all = from === bounds.least && to === bounds.most ? "*" : `${from}-${to}`;
  return `${all}/${step}`;
}

function rangeOf(text: string, bounds: Bounds) {
  const [, first = "", last, stepText] =
    /^([^-/]+)(?:-([^-/]+))?(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const isAll = first === "*" && last === undefined;
  const from = isAll ? bounds.least : numberOf(first, bounds);
  const hasEnd = isAll || (last === undefined && stepText !== undefined);
  const to = hasEnd ? bounds.most : last === undefined ? from : numberOf(last, bounds);
  const step = stepText === undefined ? null : Number(stepText);
  if (from === null || to === null || from > to || step === 0) return null;
  return { from, to, step };
}

function numberOf(text: string, { least, most, names }: Bounds): number | null {
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  if (named !== -1) return least + named;
  const number = /^\d{1,2}$/.test(text) ? Number(text) : -1;
  return number >= least && number <= most ? number : null;
}

/** 1 to 7 from Sunday there, 0 to 6 in a crontab. */
function weekdays(text: string | undefined): string | null {
  if (text === undefined || isAny(text)) return text === undefined ? null : "*";
  const days = new Set<number>();
  for (const part of text.split(",")) {
    const range = rangeOf(part, { least: 1, most: 7, names: dayNames });
    if (range === null) return null;
    for (let day = range.from; day <= range.to; day += range.step ?? 1) days.add(day - 1);
  }
  const sorted = [...days].sort((a, b) => a - b);
  const [first = 0] = sorted;
  const isRun = sorted.length > 2 && sorted.every((day, at) => day === first + at);
  return isRun ? `${first}-${first + sorted.length - 1}` : sorted.join(",");
}
