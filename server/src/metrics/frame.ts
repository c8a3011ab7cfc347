import { type MetricName, metricSpecs, percentileRanks } from "./catalogue.ts";
import { addTo, type Histogram, quantilesOf } from "./histogram.ts";
import { type Distribution, type InvocationSums, noSums } from "./invocation-sums.ts";

/** What is known of one group in one step, or in all of them. */
export interface Frame {
  sums: InvocationSums;
  errors: number;
  coldStarts: number;
  histograms: Partial<Record<Distribution, Histogram>>;
  /** By measure, or `measure:detail`. */
  measures: Map<string, { total: number; most: number | null }>;
}

export function emptyFrame(): Frame {
  return { sums: noSums(), errors: 0, coldStarts: 0, histograms: {}, measures: new Map() };
}

export function addHistogram(frame: Frame, name: Distribution, histogram: Histogram): void {
  const into = frame.histograms[name] ?? new Map<number, number>();
  frame.histograms[name] = into;
  for (const [bucket, count] of histogram) addTo(into, bucket, count);
}

/** `most` of a time that has several parts is the largest of them. */
export function addMeasure(
  frame: Frame,
  key: string,
  { total, most }: { total: number; most: number | null },
): void {
  const known = frame.measures.get(key);
  if (known === undefined) {
    frame.measures.set(key, { total, most });
    return;
  }
  known.total += total;
  known.most = known.most === null || most === null ? null : Math.max(known.most, most);
}

/** Values by statistic; null where nothing was measured. */
export type Values = Record<string, number | null>;

/** `samples`: how often the gateway looked. What it did not find then was 0; where it did not look nothing is known. */
export function valuesOf(name: MetricName, detail: string, frame: Frame, samples: number): Values {
  const { kind, source } = metricSpecs[name];
  if (source === "gateway") {
    const known = frame.measures.get(detail === "" ? name : `${name}:${detail}`);
    // The samples say that it looked; counts may come without one, as of records that were lost.
    if (samples === 0 && known === undefined)
      return kind === "gauge" ? { mean: null, max: null } : { sum: null };
    if (kind === "sum") return { sum: known?.total ?? 0 };
    return {
      mean: (known?.total ?? 0) / Math.max(1, samples),
      max: known === undefined ? 0 : known.most,
    };
  }
  if (kind === "distribution") return distributionValues(name as Distribution, frame);
  if (kind === "mean") return { mean: meanOf(name, frame) };
  return { sum: sumOf(name, frame) };
}

function sumOf(name: MetricName, frame: Frame): number {
  if (name === "errors" || name === "coldStarts") return frame[name];
  return frame.sums[
    name as "invocations" | "kills" | "requestBytes" | "responseBytes" | "gbSeconds"
  ];
}

function meanOf(name: MetricName, { sums }: Frame): number | null {
  return name === "cpu" ? ratio(sums.cpuMicros, sums.cpuKnown) : ratio(sums.runMicros, sums.runs);
}

function distributionValues(name: Distribution, frame: Frame): Values {
  const histogram = frame.histograms[name] ?? new Map<number, number>();
  const [p50, p90, p95, p99] = quantilesOf(histogram, percentileRanks).map((micros) =>
    micros === null ? null : micros / 1000,
  );
  return { mean: meanOfDistribution(name, frame), p50, p90, p95, p99 } as Values;
}

function meanOfDistribution(name: Distribution, { sums }: Frame): number | null {
  if (name === "duration") return ratio(sums.durationMicros, sums.invocations);
  if (name === "queue") return ratio(sums.queueMicros, sums.invocations);
  if (name === "kill") return ratio(sums.killMicros, sums.kills);
  return ratio(name === "init" ? sums.initMicros : sums.startMicros, sums.inits);
}

function ratio(micros: number, count: number): number | null {
  return count === 0 ? null : micros / count / 1000;
}
