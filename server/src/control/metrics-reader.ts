import { type Outcome, isError } from "../domain/invocation.ts";
import { type MetricName, distributionOf, isOfInvocations } from "../metrics/catalogue.ts";
import { addHistogram, addMeasure } from "../metrics/frame.ts";
import { Frames } from "../metrics/frames.ts";
import type { InvocationSums } from "../metrics/invocation-sums.ts";
import type { Grouping } from "../metrics/labels.ts";
import { SAMPLES } from "../metrics/measured-minutes.ts";
import type { MetricsQuery } from "../store/metrics-store.ts";
import type { Store } from "../store/store.ts";

export type MetricsStore = Pick<Store, "sumInvocations" | "readDistribution" | "sumMeasures">;

/** One period of a query, read. */
export interface ReadMetrics {
  frames: Frames;
  /** How often the gateway looked, by step. */
  samples: number[];
}

/** Longer than what is ever kept, so that all of a range is one step. */
const WHOLE_MINUTES = 1_000_000_000;

/** Everything that the metrics of a query need, in as few queries of the store as they have sources. */
export async function readMetrics(
  store: MetricsStore,
  query: MetricsQuery,
  names: readonly MetricName[],
): Promise<ReadMetrics> {
  const { from, until, stepMinutes, groupBy } = query;
  const steps = Math.round((until - from) / stepMinutes);
  const frames = new Frames(groupBy, steps);
  const stepOf = (at: number) => Math.round((at - from) / stepMinutes);
  if (names.some(isOfInvocations)) await readSums(store, query, { names, frames, stepOf });
  for (const name of names) {
    const distribution = distributionOf(name);
    if (distribution === null) continue;
    for (const { labels, at, histogram } of await store.readDistribution(query, distribution))
      for (const frame of frames.at(labels, stepOf(at)))
        addHistogram(frame, distribution, histogram);
  }
  const measures = names.filter((name) => !isOfInvocations(name));
  const samples = Array.from<number>({ length: steps }).fill(0);
  if (measures.length === 0) return { frames, samples };
  for (const { labels, at, values } of await store.sumMeasures(query, measures))
    for (const frame of frames.at(labels, stepOf(at)))
      for (const { measure, detail, ...value } of values) {
        addMeasure(frame, measure, value);
        if (detail !== "") addMeasure(frame, `${measure}:${detail}`, value);
      }
  const everywhere = { ...query, filter: {}, groupBy: [] };
  for (const { at, values } of await store.sumMeasures(everywhere, [SAMPLES]))
    samples[stepOf(at)] = values[0]?.total ?? 0;
  return { frames, samples };
}

async function readSums(
  store: MetricsStore,
  query: MetricsQuery,
  to: { names: readonly MetricName[]; frames: Frames; stepOf(at: number): number },
): Promise<void> {
  const { names, frames, stepOf } = to;
  const groupBy = new Set<Grouping>(query.groupBy);
  if (names.includes("errors")) groupBy.add("outcome");
  if (names.includes("coldStarts")) groupBy.add("startKind");
  for (const { labels, at, sums } of await store.sumInvocations({
    ...query,
    groupBy: [...groupBy],
  }))
    for (const frame of frames.at(labels, stepOf(at))) {
      for (const name of Object.keys(sums) as (keyof InvocationSums)[])
        frame.sums[name] += sums[name];
      if (isError(labels.outcome as Outcome)) frame.errors += sums.invocations;
      if (labels.startKind === "cold") frame.coldStarts += sums.invocations;
    }
}

/** The functions that have most of a metric, most first; one more than `limit` where there are more. */
export async function leadingFunctions(
  store: MetricsStore,
  query: MetricsQuery,
  { metric, limit }: { metric: MetricName; limit: number },
): Promise<string[]> {
  const groupBy = ["function"] as const;
  const whole = { ...query, groupBy, stepMinutes: WHOLE_MINUTES };
  const counts = isOfInvocations(metric)
    ? (await store.sumInvocations(whole)).map(
        ({ labels, sums }) => [labels, sums.invocations] as const,
      )
    : (await store.sumMeasures(whole, [metric])).map(
        ({ labels, values }) =>
          [labels, values.reduce((sum, { total }) => sum + total, 0)] as const,
      );
  return counts
    .map(([labels, count]) => ({ name: String(labels.function), count }))
    .toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
    .slice(0, limit + 1)
    .map(({ name }) => name);
}
