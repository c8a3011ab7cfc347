import type { MetricValues, MetricsView } from "@isola/api/metrics";
import type { Series } from "../charts/series.ts";

type Group = MetricsView["groups"][number];

/** Begin of each step. */
export function timesOf({ since, stepMs, steps }: MetricsView): number[] {
  const from = Date.parse(since);
  return Array.from({ length: steps }, (_, at) => from + at * stepMs);
}

/** Of one group; undefined where it was not asked for. */
export function valuesOf(
  group: Group | undefined,
  metric: string,
  statistic: string,
): MetricValues | undefined {
  return group?.metrics.find(({ name }) => name === metric)?.statistics[statistic];
}

export interface PickedSeries {
  name: string;
  color: string;
  metric: string;
  statistic: string;
  hasPrevious?: boolean;
}

/** Lines of the one group of an answer, each with that of the time before where it was compared. */
export function linesOf(view: MetricsView, picked: readonly PickedSeries[]): Series[] {
  const group = view.groups[0];
  return picked.flatMap(({ name, color, metric, statistic, hasPrevious }) => {
    const values = valuesOf(group, metric, statistic);
    if (values === undefined) return [];
    const line: Series = { name, color, values: values.steps };
    if (!hasPrevious || values.previousSteps === undefined) return [line];
    return [
      line,
      { name: `${name} before`, color, values: values.previousSteps, isPrevious: true },
    ];
  });
}

/** One part of a stack for each group, in the order of `names`. */
export function partsOf(
  view: MetricsView,
  {
    label,
    metric,
    statistic,
    names,
    colors,
    words = {},
  }: {
    label: string;
    metric: string;
    statistic: string;
    names: readonly string[];
    colors: Readonly<Record<string, string>>;
    /** How names are told; left out: as they are. */
    words?: Readonly<Record<string, string>>;
  },
): Series[] {
  return names.flatMap((name) => {
    const group = view.groups.find(({ labels }) => labels[label] === name);
    const values = valuesOf(group, metric, statistic);
    return values === undefined
      ? []
      : [{ name: words[name] ?? name, color: colors[name] ?? "#868e96", values: values.steps }];
  });
}

/** One for each detail, `sandboxes:idle`. */
export function detailsOf(
  view: MetricsView,
  {
    metric,
    statistic,
    colors,
  }: { metric: string; statistic: string; colors: Readonly<Record<string, string>> },
): Series[] {
  const all = view.groups[0]?.metrics.filter(({ name }) => name.startsWith(`${metric}:`)) ?? [];
  return all.flatMap(({ name, statistics }) => {
    const detail = name.slice(metric.length + 1);
    const values = statistics[statistic];
    return values === undefined
      ? []
      : [{ name: detail, color: colors[detail] ?? "#868e96", values: values.steps }];
  });
}
