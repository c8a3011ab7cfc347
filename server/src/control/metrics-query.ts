import { metricLimits } from "@isola/api/limits";
import type { MetricsQueryString } from "@isola/api/metrics";
import type { ErrorDetail } from "../errors.ts";
import { type MetricName, isOfInvocations } from "../metrics/catalogue.ts";
import type { Grouping } from "../metrics/labels.ts";
import { resolutionFor } from "../metrics/resolutions.ts";
import type { MetricsFilter, MetricsQuery } from "../store/metrics-store.ts";
import { invalidRequest } from "./validation.ts";

export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Of those that are told where nobody names one. */
const stepsMinutes = [1, 5, 15, 60, 360, 1440, 7 * 1440, 30 * 1440, 366 * 1440];
const defaultNames: readonly MetricName[] = ["invocations", "errors", "coldStarts", "duration"];

/** What a request asks of the store. Throws `invalid_request` with all that cannot be told. */
export function metricsAsked(asked: MetricsQueryString, nowMs: number) {
  const names: MetricName[] = [...new Set(asked.metric ?? defaultNames)];
  const query = queryOf(asked, nowMs);
  refuseUnknown(asked, names, query);
  return { names, query };
}

function queryOf(asked: MetricsQueryString, nowMs: number): MetricsQuery {
  const untilMs = asked.until ?? nowMs;
  const sinceMs = asked.since ?? untilMs - HOUR_MS;
  const minutes = Math.max(1, (untilMs - sinceMs) / MINUTE_MS);
  const fitting = stepsMinutes.find((step) => minutes / step <= metricLimits.stepsDefault);
  const stepMinutes = asked.stepMs === undefined ? (fitting as number) : asked.stepMs / MINUTE_MS;
  const stepMs = stepMinutes * MINUTE_MS;
  return {
    filter: filterOf(asked),
    groupBy: [...new Set(asked.groupBy)] as Grouping[],
    from: Math.floor(sinceMs / stepMs) * stepMinutes,
    until: Math.ceil(untilMs / stepMs) * stepMinutes,
    stepMinutes,
    resolution: resolutionFor(stepMinutes),
  };
}

function filterOf(asked: MetricsQueryString): MetricsFilter {
  const { project, revision, driver, outcome, startKind } = asked;
  return {
    ...(project !== undefined && { project }),
    ...(asked.function !== undefined && { functionNames: asked.function }),
    ...(revision !== undefined && { revision }),
    ...(driver !== undefined && { driver }),
    ...(outcome !== undefined && { outcome }),
    ...(startKind !== undefined && { startKind }),
  };
}

/** Throws `invalid_request` with all that cannot be told. */
function refuseUnknown(asked: MetricsQueryString, names: MetricName[], query: MetricsQuery): void {
  const problems: ErrorDetail[] = [];
  const refuse = (path: string, expected: string, given: string) =>
    problems.push({ path: `query.${path}`, expected, given });
  const { stepMs } = asked;
  if (stepMs !== undefined && stepMs % MINUTE_MS !== 0)
    refuse("stepMs", "whole minutes", String(stepMs));
  const steps = stepsOf(query);
  if (steps < 1) refuse("since", "a time before `until`", String(asked.since));
  if (steps > metricLimits.stepsMax)
    refuse(
      "stepMs",
      `at most ${metricLimits.stepsMax} steps in the time asked for`,
      `${steps} steps`,
    );
  const { groupBy, filter } = query;
  const isOfOne = filter.functionNames !== undefined || groupBy.includes("function");
  if (!isOfOne && (groupBy.includes("revision") || filter.revision !== undefined))
    refuse("revision", "with `function`, or groups of functions", "without");
  const measure = names.find((name) => !isOfInvocations(name));
  const isByCall =
    groupBy.includes("outcome") ||
    groupBy.includes("startKind") ||
    filter.outcome !== undefined ||
    filter.startKind !== undefined;
  if (measure !== undefined && isByCall)
    refuse("metric", "metrics of invocations, with outcome and startKind", measure);
  if (problems.length > 0) throw invalidRequest(problems);
}

export function stepsOf({ from, until, stepMinutes }: MetricsQuery): number {
  return Math.round((until - from) / stepMinutes);
}

/** The time before, of the same length. */
export function earlier(query: MetricsQuery): MetricsQuery {
  const { from, until } = query;
  return { ...query, from: from - (until - from), until: from };
}
