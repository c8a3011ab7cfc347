import type { MetricView, MetricsQueryString, MetricsView } from "@isola/api/metrics";
import { driverNames, metricNames } from "@isola/api/limits";
import { integerOption, listOption, textOption } from "../arguments.ts";
import { type Command, type Options, usageFailure } from "../command.ts";
import { MOMENT, rangeOptions } from "../moment.ts";
import { table } from "../printable.ts";

const tableMetrics = [
  "invocations",
  "errors",
  "coldStarts",
  "duration",
  "queue",
  "gbSeconds",
] as const;
/** Column by metric and statistic, for groups. */
const columns = [
  ["CALLS", "invocations", "sum"],
  ["ERRORS", "errors", "sum"],
  ["COLD", "coldStarts", "sum"],
  ["P50 MS", "duration", "p50"],
  ["P95 MS", "duration", "p95"],
  ["P99 MS", "duration", "p99"],
  ["QUEUE P95", "queue", "p95"],
  ["GB-S", "gbSeconds", "sum"],
] as const;

export const metricsCommand: Command = {
  usage: "metrics [name]",
  isOfProject: true,
  summary: "Show what was counted and measured: of all functions, or of one by step of time",
  positionals: { name: { help: "of the function; left out: all", completes: "function" } },
  details: [
    "`--metric` names others ([metrics.md](metrics.md)), `--group-by` divides them, `--compare` adds the time before.",
  ],
  examples: [
    { line: "isola metrics hello --since 7d --step 1h", says: "one function, by the hour" },
  ],
  json: "what the API answers",
  options: [
    {
      flags: "--metric <name>",
      help: "only these, with all their statistics",
      isRepeatable: true,
      completes: metricNames,
    },
    { flags: "--since <time>", help: `from then on: ${MOMENT} (default 1h)` },
    { flags: "--until <time>", help: "before then (default: now)" },
    { flags: "--step <time>", help: "`5m`, `1h`, `1d`" },
    {
      flags: "--group-by <label>",
      help: "function, revision, driver, outcome, startKind, project",
      isRepeatable: true,
      completes: ["function", "revision", "driver", "outcome", "startKind", "project"],
    },
    { flags: "--driver <name>", help: "only on this driver", completes: driverNames },
    { flags: "--compare", help: "with the time before, of the same length" },
    { flags: "--limit <n>", help: "functions at most (default 20)" },
  ],
  async run(context, [name], options) {
    const query = queryOf(name, options);
    const view = await context.client.getMetrics(query);
    return { json: view, text: textOf(view, name, options) };
  },
};

function queryOf(name: string | undefined, options: Options): MetricsQueryString {
  const asked = [...listOption(options, "metric")];
  const groups = [...listOption(options, "groupBy")];
  const isOfAll = name === undefined && groups.length === 0 && asked.length === 0;
  const groupBy = isOfAll ? ["function"] : groups;
  const driver = textOption(options, "driver");
  const limit = integerOption(options, "limit", "--limit");
  const step = textOption(options, "step");
  const query = {
    metric: asked.length === 0 ? [...tableMetrics] : asked,
    since: Date.now() - 3_600_000,
    ...rangeOptions(options),
    stepMs: step === undefined ? undefined : stepOf(step),
    ...(groupBy.length > 0 && { groupBy }),
    ...(name !== undefined && { function: [name] }),
    ...(driver !== undefined && { driver }),
    ...(limit !== undefined && { limit }),
    ...(options.compare === true && { compare: "previous" }),
  };
  // What is none of theirs the server refuses, with the names there are.
  return query as MetricsQueryString;
}

function stepOf(text: string): number {
  const found = /^(\d{1,6})([mhd])$/.exec(text);
  if (found === null) throw usageFailure(`--step takes 5m, 1h or 1d, given: ${text}`);
  return Number(found[1]) * { m: 60_000, h: 3_600_000, d: 86_400_000 }[found[2] as "m" | "h" | "d"];
}

function textOf(view: MetricsView, name: string | undefined, options: Options): string {
  if (view.groups.length === 0) return `Nothing between ${view.since} and ${view.until}.`;
  const isListed = listOption(options, "metric").length > 0;
  const text = isListed || options.compare === true ? statisticsText(view) : tableText(view, name);
  return view.isCut ? `${text}\nThere are more functions: --limit.` : text;
}

/** A line for each statistic of each metric of each group. */
function statisticsText({ groups }: MetricsView): string {
  const rows = groups.flatMap(({ labels, metrics }) =>
    metrics.flatMap((metric) =>
      Object.entries(metric.statistics).map(([statistic, { whole, previousWhole }]) => [
        labelText(labels),
        metric.name,
        statistic,
        shown(whole),
        previousWhole === undefined ? "" : shown(previousWhole),
        metric.unit === "1" ? "" : metric.unit,
      ]),
    ),
  );
  return table(["GROUP", "METRIC", "STATISTIC", "VALUE", "BEFORE", "UNIT"], rows);
}

/** Groups as lines; one function, or everything, by step. */
function tableText(view: MetricsView, name: string | undefined): string {
  const head = columns.map(([title]) => title);
  const only = view.groups[0];
  if (
    view.groups.length === 1 &&
    only !== undefined &&
    (name !== undefined || isPlain(only.labels))
  ) {
    const begin = Date.parse(view.since);
    const rows = Array.from({ length: view.steps }, (_, at) => [
      new Date(begin + at * view.stepMs).toISOString().slice(0, 16),
      ...cells(only.metrics, at),
    ]).filter((row) => row[1] !== "0");
    return table(["FROM", ...head], [...rows, ["all", ...cells(only.metrics, null)]]);
  }
  const rows = view.groups.map(({ labels, metrics }) => [
    labelText(labels),
    ...cells(metrics, null),
  ]);
  return table(["GROUP", ...head], rows);
}

function isPlain(labels: object): boolean {
  return Object.keys(labels).length === 0;
}

/** Of a step; null: of all. */
function cells(metrics: readonly MetricView[], at: number | null): string[] {
  return columns.map(([, name, statistic]) => {
    const found = metrics.find((metric) => metric.name === name)?.statistics[statistic];
    return shown((at === null ? found?.whole : found?.steps[at]) ?? null);
  });
}

function labelText(labels: Record<string, string | number>): string {
  const text = Object.values(labels).join(" ");
  return text === "" ? "all" : text;
}

/** Three digits say enough. */
function shown(value: number | null): string {
  if (value === null) return "-";
  return Number.isInteger(value) || value >= 1000
    ? String(Math.round(value))
    : value.toPrecision(3);
}
