import type { SettingSpec } from "./setting-spec.ts";

/** How much of what happened is kept, and for how long. */
export const keptSettings = {
  invocationsKeptMax: {
    kind: "integer",
    least: 0,
    most: 1_000_000_000,
    default: 200_000,
    help: "Invocation records kept; the oldest go first",
  },
  logsKeptMax: {
    kind: "integer",
    least: 0,
    most: 1_000_000_000,
    default: 1_000_000,
    help: "Log lines of functions kept; the oldest go first",
  },
  logsKeptMiB: {
    kind: "integer",
    least: 0,
    most: 16_777_216,
    default: 1024,
    help: "Disk space for log lines of functions; the oldest go first",
  },
  logsKeptHours: {
    kind: "integer",
    least: 1,
    most: 87_600,
    default: 168,
    help: "Age at which log lines are dropped",
  },
  eventsKeptMax: {
    kind: "integer",
    least: 0,
    most: 10_000_000,
    default: 100_000,
    help: "Events of the platform kept; the oldest go first",
  },
  minuteMetricsKeptHours: {
    kind: "integer",
    least: 3,
    most: 8760,
    default: 48,
    help: "How long metrics are kept by the minute",
  },
  hourMetricsKeptDays: {
    kind: "integer",
    least: 2,
    most: 3650,
    default: 62,
    help: "How long metrics are kept by the hour",
  },
  dayMetricsKeptDays: {
    kind: "integer",
    least: 2,
    most: 36_500,
    default: 800,
    help: "How long metrics are kept by the day",
  },
  recordsKeptHours: {
    kind: "integer",
    least: 1,
    most: 87_600,
    default: 168,
    help: "Age at which invocation records and events are dropped",
  },
} as const satisfies Record<string, SettingSpec>;
