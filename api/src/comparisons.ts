import Type, { type Static } from "typebox";
import { InvokeRequest } from "./invocations.ts";
import { NAME_PATTERN, driverNames } from "./limits.ts";
import { projectMember } from "./projects.ts";
import {
  closed,
  integer,
  moment,
  nullable,
  oneOf,
  pageMembers,
  pageOf,
  textByName,
} from "./shapes.ts";

/** Bounds and defaults of what a comparison is asked with. The server's own table is compared with this one by a test. */
export const comparisonLimits = {
  repeats: { least: 3, most: 20, default: 3 },
  durationMs: { least: 50, most: 60_000, default: 2000 },
  coldStarts: { least: 1, most: 50, default: 5 },
  connections: { least: 1, most: 64, default: 8 },
  starts: { least: 1, most: 32, default: 8 },
} as const;

export const mixNames = ["syscall", "cpu", "memory", "io"] as const;

const whole = (name: keyof typeof comparisonLimits, description: string) =>
  Type.Optional(
    integer(
      comparisonLimits[name],
      `${description}; ${comparisonLimits[name].default} when left out`,
    ),
  );

export const StartComparison = closed(
  {
    function: Type.String({ pattern: NAME_PATTERN }),
    drivers: Type.Optional(
      Type.Array(oneOf(driverNames), {
        minItems: 1,
        maxItems: 16,
        description: "Left out: all. What cannot run here is listed with the reason",
      }),
    ),
    event: Type.Optional(
      Type.Unknown({ description: "What a Lambda-style handler is called with: any JSON value" }),
    ),
    request: Type.Optional(InvokeRequest),
    repeats: whole("repeats", "Rounds on each driver, one after the other"),
    durationMs: whole("durationMs", "Of each warm measurement, after a quarter of it as warm-up"),
    coldStarts: whole("coldStarts", "First calls of each kind in a round"),
    connections: whole("connections", "Calls at once under load"),
    starts: whole("starts", "Sandboxes started at once"),
    mixes: Type.Optional(
      Type.Array(oneOf(mixNames), {
        maxItems: 16,
        description: "Work of the platform's own beside the function; left out: all of it",
      }),
    ),
  },
  "StartComparison",
);
export type StartComparison = Static<typeof StartComparison>;

export const FigureView = closed(
  {
    workload: oneOf(["function", ...mixNames]),
    name: Type.String({ description: "What was measured" }),
    unit: Type.String(),
    median: nullable(Type.Number(), "Over all rounds; null: not measured"),
    min: nullable(Type.Number()),
    max: nullable(Type.Number()),
    values: Type.Array(Type.Number(), { description: "One a round, in order" }),
    missing: nullable(Type.String(), "Why it was not measured"),
  },
  "Figure",
);
export type FigureView = Static<typeof FigureView>;

const count = (description: string) => nullable(Type.Integer(), description);
const DensityView = closed({
  memoryBudgetMiB: Type.Number(),
  reservedMiB: Type.Number({ description: "What the memory budget takes for one sandbox" }),
  byBudget: Type.Integer({ description: "So many sandboxes are admitted" }),
  byIdleMemory: count("So many would fit into the budget by what an idle one was measured to take"),
  byBusyMemory: count("The same by one under load"),
});

export const DriverResultView = closed(
  {
    driver: Type.String(),
    tier: Type.String(),
    versions: textByName("Version of each part"),
    memoryHow: Type.String({ description: "How its memory is counted" }),
    state: oneOf(["waiting", "measured", "failed", "unavailable"]),
    reason: nullable(Type.String(), "Why it failed or is unavailable"),
    figures: Type.Array(FigureView),
    density: nullable(DensityView),
  },
  "DriverResult",
);
export type DriverResultView = Static<typeof DriverResultView>;

const summaryMembers = {
  id: Type.String(),
  function: Type.String(),
  revision: Type.Integer(),
  state: oneOf(["running", "done", "failed", "cancelled"]),
  message: nullable(Type.String(), "Why it failed"),
  phase: nullable(Type.String(), "What runs now, for people; null: nothing does"),
  percent: Type.Integer({ description: "Of its steps" }),
  drivers: Type.Array(
    closed({
      driver: Type.String(),
      state: oneOf(["waiting", "measured", "failed", "unavailable"]),
    }),
  ),
  startedAt: moment("When it began"),
  endedAt: nullable(Type.String({ format: "date-time" }), "null: it runs"),
};

export const ComparisonSummary = closed(summaryMembers, "ComparisonSummary");
export type ComparisonSummary = Static<typeof ComparisonSummary>;

export const ComparisonView = closed(
  {
    ...summaryMembers,
    drivers: Type.Array(DriverResultView),
    subject: closed({
      runtime: Type.String(),
      memoryMiB: Type.Integer(),
      tmpMiB: Type.Integer(),
      concurrency: Type.Integer(),
    }),
    parameters: closed({
      drivers: Type.Array(Type.String()),
      repeats: Type.Integer(),
      durationMs: Type.Integer(),
      coldStarts: Type.Integer(),
      connections: Type.Integer(),
      starts: Type.Integer(),
      mixes: Type.Array(Type.String()),
      call: oneOf(["event", "http"]),
    }),
    machine: closed({
      cores: Type.Integer(),
      cpuModel: Type.String(),
      memoryMiB: Type.Integer(),
      kernel: Type.String(),
      versions: textByName("Of Isola and Node.js"),
      loadBefore: Type.Number({ description: "Mean load of the minute before it began" }),
    }),
    otherCalls: Type.Integer({
      description: "Calls of everybody else that ended meanwhile; they disturb what is measured",
    }),
  },
  "Comparison",
);
export type ComparisonView = Static<typeof ComparisonView>;

export const ComparisonPage = pageOf(ComparisonSummary, "ComparisonPage");
export const ComparisonParams = closed({ id: Type.String({ maxLength: 128 }) });

export const ComparisonListQuery = closed({
  ...projectMember,
  function: Type.Optional(Type.String({ pattern: NAME_PATTERN })),
  ...pageMembers,
});
export type ComparisonListQuery = Static<typeof ComparisonListQuery>;

export const ExportQuery = closed({
  ...projectMember,
  format: Type.Optional(
    oneOf(["csv", "markdown"], "Left out: csv. As JSON it is the comparison itself"),
  ),
});
export type ExportQuery = Static<typeof ExportQuery>;

export const EndedComparison = closed(
  {
    id: Type.String(),
    state: oneOf(["cancelled", "removed"], "One that ran is cancelled and kept; any other removed"),
  },
  "EndedComparison",
);
export type EndedComparison = Static<typeof EndedComparison>;
