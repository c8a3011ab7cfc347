interface Field {
  name: string;
  least: number;
  most: number;
  /** Of the numbers from `least` on. */
  words: readonly string[];
  /** What it may hold beside lists, ranges and steps. */
  special: RegExp | null;
}

const none = { words: [], special: null };
const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const fields: readonly Field[] = [
  { name: "minute", least: 0, most: 59, ...none },
  { name: "hour", least: 0, most: 23, ...none },
  { name: "day of the month", least: 1, most: 31, words: [], special: /^(L|LW|(?<value>\d+)W)$/i },
  { name: "month", least: 1, most: 12, words: months, special: null },
  {
    ...{ name: "day of the week", least: 0, most: 7, words: days },
    special: /^(?<value>\w+?)(L|#L|#(?<count>\d+))$/i,
  },
];
const COUNT_MAX = 5;

/** What is wrong with the five fields of a cron expression, for people; null: nothing that can be said of one field alone. */
export function fieldsProblem(texts: readonly string[]): string | null {
  for (const [at, field] of fields.entries())
    for (const item of (texts[at] ?? "").split(",")) {
      const problem = itemProblem(field, item);
      if (problem !== null) return problem;
    }
  return null;
}

function itemProblem(field: Field, item: string): string | null {
  const { name } = field;
  if (item === "") return `the ${name} has a comma with nothing before or after it`;
  if (item.includes("?")) return `any ${name} is *, not ?`;
  const special = field.special?.exec(item);
  if (special) return specialProblem(field, special.groups ?? {});
  const [range = "", step, ...more] = item.split("/");
  if (more.length > 0) return `the ${name} cannot be ${item}`;
  if (step !== undefined && !/^0*[1-9]\d*$/.test(step))
    return `a step is a whole number from 1 on, in the ${name} not ${step === "" ? "nothing" : step}`;
  if (range === "*") return null;
  const ends = range.split("-");
  if (ends.length > 2 || ends.includes("")) return `the ${name} cannot be ${item}`;
  for (const end of ends) {
    const problem = valueProblem(field, end);
    if (problem !== null) return problem;
  }
  if (step !== undefined && ends.length === 1)
    return `a step goes with * or a range: ${range}-${field.most}/${step}, not ${item}`;
  const [first = 0, last = first] = ends.map((end) => valueOf(field, end) ?? 0);
  // A week may end with Sunday.
  const isWeek = last === 0 && field.words === days;
  return last < first && !isWeek ? `${range} of the ${name} ends before it begins` : null;
}

function specialProblem(
  field: Field,
  { value, count }: Record<string, string | undefined>,
): string | null {
  if (count !== undefined && (Number(count) < 1 || Number(count) > COUNT_MAX))
    return `of a ${field.name} a month has 1 to ${COUNT_MAX}, not ${count}`;
  return value === undefined ? null : valueProblem(field, value);
}

function valueProblem(field: Field, text: string): string | null {
  const { name, least, most, words } = field;
  const value = valueOf(field, text);
  if (value !== null && value >= least && value <= most) return null;
  const named = words.length === 0 ? "" : ` or ${words[0]} to ${words.at(-1)}`;
  return `the ${name} is ${least} to ${most}${named}, not ${text}`;
}

function valueOf({ least, words }: Field, text: string): number | null {
  if (/^\d+$/.test(text)) return Number(text);
  const at = words.indexOf(text.toUpperCase());
  return at === -1 ? null : least + at;
}
