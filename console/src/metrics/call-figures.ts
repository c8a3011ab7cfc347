import type { MetricsView } from "@isola/api/metrics";
import { valuesOf } from "./pick.ts";

export interface CallFigures {
  project: string;
  name: string;
  calls: number;
  errors: number;
  cold: number;
  /** Milliseconds; null where nothing was called. */
  p95: number | null;
  /** By step; null where nothing is known. */
  callSteps: readonly (number | null)[];
  errorSteps: readonly (number | null)[];
}

/** What a group of one function says of its calls, of the metrics that were asked for. */
export function callFiguresOf(group: MetricsView["groups"][number]): CallFigures {
  const of = (metric: string, statistic: string) => valuesOf(group, metric, statistic);
  return {
    project: String(group.labels.project),
    name: String(group.labels.function),
    calls: of("invocations", "sum")?.whole ?? 0,
    errors: of("errors", "sum")?.whole ?? 0,
    cold: of("coldStarts", "sum")?.whole ?? 0,
    p95: of("duration", "p95")?.whole ?? null,
    callSteps: of("invocations", "sum")?.steps ?? [],
    errorSteps: of("errors", "sum")?.steps ?? [],
  };
}
