/** In the five fields of a schedule, or why these cannot say it and what to do. */
export type AwsCron = { cron: string; isRate: boolean } | { why: string };

/** Of `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)`. */
export function cronOfAws(expression: string): AwsCron {
  const rate = /^rate\(\s*(\d{1,6})\s+(minute|hour|day)s?\s*\)$/.exec(expression);
  if (rate !== null) return cronOfRate(Number(rate[1]), rate[2] as keyof typeof minutesOf);
  const fields = /^cron\(\s*(\S+(?:\s+\S+){5})\s*\)$/.exec(expression)?.[1];
  if (fields !== undefined) return cronOfFields(fields.split(/\s+/));
  if (expression.startsWith("at("))
    return { why: "runs once: `isola invoke` at that moment (`at`, `systemd-run`) does it" };
  return { why: "is neither rate(...) nor cron(...) of six fields: write its `schedules` by hand" };
}

const minutesOf = { minute: 1, hour: 60, day: 1440 };

/** Distances that five fields can say, each with how, longest first. */
const rates: readonly [minutes: number, cron: string][] = [
  [7 * 1440, "0 0 * * 0"],
  [1440, "0 0 * * *"],
  ...[12, 8, 6, 4, 3, 2].map((hours): [number, string] => [60 * hours, `0 */${hours} * * *`]),
  [60, "0 * * * *"],
  ...[30, 20, 15, 12, 10, 6, 5, 4, 3, 2].map((n): [number, string] => [n, `*/${n} * * * *`]),
  [1, "* * * * *"],
];

function cronOfRate(count: number, unit: keyof typeof minutesOf): AwsCron {
  const wanted = count * minutesOf[unit];
  const [minutes, cron] = rates.find(([one]) => one <= wanted) ?? [];
  if (cron === undefined) return { why: "has no distance: give it one of at least a minute" };
  if (minutes === wanted) return { cron, isRate: true };
  return {
    why: `divides neither the hour, the day nor the week, so that five fields cannot say it: \`${cron}\` is the next more often`,
  };
}

const monthNames = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const dayNames = "SUN MON TUE WED THU FRI SAT".split(" ");

function cronOfFields(fields: readonly string[]): AwsCron {
  const [minute = "", hour = "", day = "", month = "", weekday = "", year = ""] = fields;
  if (year !== "*")
    return {
      why: `names years, which a schedule cannot: write it without ${year.slice(0, 40)}, and disable it when its time is over`,
    };
  if (!isAny(day) && !isAny(weekday))
    return { why: "names both a day of the month and one of the week: `?` has to be one of them" };
  const parts: [name: string, given: string, cron: string | null][] = [
    ["minute", minute, field(minute, { least: 0, most: 59 })],
    ["hour", hour, field(hour, { least: 0, most: 23 })],
    ["day of the month", day, monthDays(day)],
    ["month", month, field(month, { least: 1, most: 12, names: monthNames })],
    ["day of the week", weekday, weekdays(weekday)],
  ];
  const wrong = parts.find(([, , cron]) => cron === null);
  if (wrong !== undefined)
    return {
      why: `has the ${wrong[0]} ${wrong[1].slice(0, 40)}, which a schedule cannot say: write its \`cron\` by hand`,
    };
  return { cron: parts.map(([, , cron]) => cron).join(" "), isRate: false };
}

function isAny(text: string): boolean {
  return text === "*" || text === "?";
}

interface Bounds {
  least: number;
  most: number;
  /** Of `least`, `least` + 1 ... */
  names?: readonly string[];
}

const days: Bounds = { least: 1, most: 31 };
const daysOfWeek: Bounds = { least: 1, most: 7, names: dayNames };

function field(text: string, bounds: Bounds): string | null {
  if (isAny(text)) return "*";
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

/** `L` is the last day, `15W` the weekday next to the 15th, the same here as there. */
function monthDays(text: string): string | null {
  const nearest = /^(\d{1,2}|L)W$/i.exec(text)?.[1];
  if (nearest !== undefined)
    return /^L$/i.test(nearest) || numberOf(nearest, days) !== null ? text.toUpperCase() : null;
  return /^L$/i.test(text) ? "L" : field(text, days);
}

/** 1 to 7 from Sunday there, 0 to 6 here. `FRI#3` and `6L` stand alone there. */
function weekdays(text: string): string | null {
  if (isAny(text)) return "*";
  if (/^L$/i.test(text)) return "6"; // its last day is Saturday
  const [, named = "", which] = /^(\w+?)(#[1-5]|L)$/i.exec(text) ?? [];
  if (which !== undefined) {
    const day = numberOf(named, daysOfWeek);
    return day === null ? null : `${day - 1}${which.toUpperCase()}`;
  }
  const listed = new Set<number>();
  for (const part of text.split(",")) {
    const range = rangeOf(part, daysOfWeek);
    if (range === null) return null;
    for (let day = range.from; day <= range.to; day += range.step ?? 1) listed.add(day - 1);
  }
  const sorted = [...listed].sort((a, b) => a - b);
  const [first = 0] = sorted;
  const isRun = sorted.length > 2 && sorted.every((day, at) => day === first + at);
  return isRun ? `${first}-${first + sorted.length - 1}` : sorted.join(",");
}
