import type { Histogram } from "../metrics/histogram.ts";
import type { Distribution, InvocationSums } from "../metrics/invocation-sums.ts";
import type { Grouping } from "../metrics/labels.ts";
import type { Resolution } from "../metrics/resolutions.ts";

/** Names of labels and what they are in a group. */
export type GroupLabels = Partial<Record<Grouping, string | number>>;

export interface MetricsFilter {
  /** Left out: of all. */
  project?: string;
  functionNames?: readonly string[];
  revision?: number;
  driver?: string;
  outcome?: string;
  startKind?: string;
}

/** Numbers by group and step. Times are minutes since 1970, `from` inclusive and `until` exclusive, whole steps of at least `resolution`. */
export interface MetricsQuery {
  filter: MetricsFilter;
  groupBy: readonly Grouping[];
  from: number;
  until: number;
  stepMinutes: number;
  /** Minutes, hours or days are read; of what is not added up yet, the finer ones. */
  resolution: Resolution;
}

/** A step of a group in which there was something; `at` is its begin. */
interface MetricPoint {
  labels: GroupLabels;
  at: number;
}
export type InvocationPoint = MetricPoint & { sums: InvocationSums };
export type DistributionPoint = MetricPoint & { histogram: Histogram };
export type MeasurePoint = MetricPoint & {
  /** `most`: null where several series are in it, whose largest values need not have come together. */
  values: { measure: string; detail: string; total: number; most: number | null }[];
};

export interface MetricsKept {
  minutesKeptMinutes: number;
  hoursKeptMinutes: number;
  daysKeptMinutes: number;
}

/** The part of the store that counts and measures. */
export interface MetricsStore {
  /** Adds the records that are not counted yet to the metrics, each once. What reads or trims does so first; to be called now and then, so that it has little to do. */
  countInvocations(): Promise<void>;
  sumInvocations(query: MetricsQuery): Promise<InvocationPoint[]>;
  readDistribution(query: MetricsQuery, distribution: Distribution): Promise<DistributionPoint[]>;
  /** Of series without outcome and start kind. */
  sumMeasures(query: MetricsQuery, measures: readonly string[]): Promise<MeasurePoint[]>;
  /** Adds minutes up to hours, and hours to days, where these are over. Says for how many series. */
  rollUpMetrics(): Promise<number>;
  trimMetrics(kept: MetricsKept): Promise<void>;
}
