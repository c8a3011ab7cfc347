import type { MetricView } from "@isola/api/metrics";
import { type MetricName, metricSpecs, statisticsOf } from "../metrics/catalogue.ts";
import { type Frame, emptyFrame, valuesOf } from "../metrics/frame.ts";
import type { GroupFrames } from "../metrics/frames.ts";
import type { MetricsQuery } from "../store/metrics-store.ts";
import type { ReadMetrics } from "./metrics-reader.ts";

/** A period that was read, and from which step on something is kept of it. */
export interface Period extends ReadMetrics {
  firstStep: number;
}

/** Groups of functions in their order; without `groupBy` one group, also where there is nothing. */
export function groupsOf(
  { groupBy }: MetricsQuery,
  functions: readonly string[] | null,
  { frames }: ReadMetrics,
): GroupFrames[] {
  if (groupBy.length === 0) return [frames.get({})];
  if (functions === null) return frames.all();
  const order = new Map(functions.map((name, at) => [name, at]));
  const placeOf = ({ labels }: GroupFrames) => order.get(String(labels.function)) ?? 0;
  return frames.all().toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** A metric with its details has a view of each. */
export function viewsOf(
  name: MetricName,
  group: GroupFrames,
  read: Period,
  before: Period | null,
): MetricView[] {
  const earlierGroup = before === null ? null : before.frames.get(group.labels);
  const details = new Set([""]);
  for (const frame of [group.whole, ...(earlierGroup === null ? [] : [earlierGroup.whole])])
    for (const key of frame.measures.keys())
      if (key.startsWith(`${name}:`)) details.add(key.slice(name.length + 1));
  const { unit, kind } = metricSpecs[name];
  return [...details].map((detail) => ({
    name: detail === "" ? name : `${name}:${detail}`,
    unit,
    kind,
    statistics: Object.fromEntries(
      statisticsOf[kind].map((statistic) => {
        const own = pointsOf(name, detail, statistic, { group, of: read });
        if (earlierGroup === null || before === null) return [statistic, own];
        const { whole, steps } = pointsOf(name, detail, statistic, {
          group: earlierGroup,
          of: before,
        });
        return [statistic, { ...own, previousWhole: whole, previousSteps: steps }];
      }),
    ),
  }));
}

const nothing: Frame = emptyFrame();

function pointsOf(
  name: MetricName,
  detail: string,
  statistic: string,
  { group, of: { samples, firstStep } }: { group: GroupFrames; of: Period },
) {
  const valueOf = (frame: Frame, seen: number) =>
    valuesOf(name, detail, frame, seen)[statistic] ?? null;
  const all = samples.reduce((sum, count) => sum + count, 0);
  return {
    whole: valueOf(group.whole, all),
    steps: group.steps.map((frame, at) =>
      at < firstStep ? null : valueOf(frame ?? nothing, samples[at] as number),
    ),
  };
}
