import Type, { type Static } from "typebox";
import {
  NAME_PATTERN,
  driverNames,
  metricLimits,
  metricNames,
  outcomes,
  startKinds,
} from "./limits.ts";
import { closed, integer, moment, nullable, oneOf } from "./shapes.ts";

const unixMs = (description: string) =>
  Type.Optional(integer({ least: 0, most: 8_640_000_000_000 }, description));

export const metricGroupings = [
  ...(["project", "function", "revision", "driver", "outcome", "startKind"] as const),
] as const;

export const MetricsQueryString = closed({
  metric: Type.Optional(
    Type.Array(oneOf(metricNames), {
      maxItems: metricNames.length,
      description:
        "Names of metrics (docs/metrics.md), repeated; left out: invocations, errors, coldStarts, duration",
    }),
  ),
  since: unixMs("Unix time in ms; left out: an hour before `until`. Rounded down to a whole step"),
  until: unixMs("Unix time in ms; left out: now. Rounded up to a whole step"),
  stepMs: Type.Optional(
    integer(
      { least: 60_000, most: metricLimits.stepMsMax },
      "Whole minutes; left out: such that there are at most 200 steps",
    ),
  ),
  groupBy: Type.Optional(
    Type.Array(oneOf(metricGroupings), {
      maxItems: 6,
      description:
        "Repeated. `revision` needs a function or groups of functions; metrics of the gateway have no outcome and start kind",
    }),
  ),
  function: Type.Optional(
    Type.Array(Type.String({ pattern: NAME_PATTERN }), {
      maxItems: metricLimits.functionsMax,
      description: "Repeated, any of them",
    }),
  ),
  project: Type.Optional(Type.String({ pattern: NAME_PATTERN })),
  revision: Type.Optional(integer({ least: 1, most: 2_147_483_647 })),
  driver: Type.Optional(oneOf(driverNames)),
  outcome: Type.Optional(oneOf(outcomes)),
  startKind: Type.Optional(oneOf(startKinds)),
  compare: Type.Optional(oneOf(["previous"], "With the time just before, of the same length")),
  limit: Type.Optional(
    integer(
      { least: 1, most: metricLimits.functionsMax },
      "Functions in groups of functions: those with most of the first metric; left out: 20",
    ),
  ),
});
export type MetricsQueryString = Static<typeof MetricsQueryString>;

const value = nullable(Type.Number(), "null: nothing is known of that time, or there was nothing");
export interface MetricValues {
  /** Of all steps together. */
  whole: number | null;
  steps: (number | null)[];
  /** With `compare`: the same of the time before. */
  previousWhole?: number | null;
  previousSteps?: (number | null)[];
}

export const MetricView = closed(
  {
    name: Type.String({ description: "`name`, or `name:detail` where there are several" }),
    unit: oneOf(["1", "ms", "bytes", "MiB", "GB-s"]),
    kind: oneOf(["sum", "distribution", "mean", "gauge"]),
    statistics: Type.Unsafe<Record<string, MetricValues>>({
      type: "object",
      description: "By statistic: sum; mean; mean, p50, p90, p95 and p99; mean and max",
      additionalProperties: {
        type: "object",
        additionalProperties: false,
        required: ["whole", "steps"],
        properties: {
          whole: value,
          steps: Type.Array(value),
          previousWhole: value,
          previousSteps: Type.Array(value),
        },
      },
    }),
  },
  "Metric",
);
export type MetricView = Static<typeof MetricView>;

export const MetricsView = closed(
  {
    since: moment("Begin of the first step"),
    until: moment("End of the last step"),
    stepMs: Type.Integer(),
    resolutionMs: Type.Integer({
      description: "How finely what was read is kept: a minute, an hour or a day",
    }),
    steps: Type.Integer(),
    groups: Type.Array(
      closed({
        labels: Type.Unsafe<Record<string, string | number>>({
          type: "object",
          additionalProperties: { anyOf: [{ type: "string" }, { type: "integer" }] },
          description: "What the group has in common; empty without `groupBy`",
        }),
        metrics: Type.Array(MetricView),
      }),
    ),
    isCut: Type.Boolean({ description: "There are more functions than `limit`" }),
  },
  "Metrics",
);
export type MetricsView = Static<typeof MetricsView>;
