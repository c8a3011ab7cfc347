import type { SettingSpec } from "./setting-spec.ts";

/** What `/metrics` tells, and where beside the API. */
export const prometheusSettings = {
  metricsPort: {
    kind: "integer",
    least: 0,
    most: 65_535,
    default: 0,
    help: "Port on which `/metrics` is told without a key, beside the API, which tells it with one (docs/metrics.md); 0: none",
  },
  metricsHost: {
    kind: "host",
    default: "127.0.0.1",
    help: "Address of `metricsPort`; whoever reaches it reads the names of all functions and how they are called",
  },
  metricsFunctionsMax: {
    kind: "integer",
    least: 0,
    most: 100_000,
    default: 200,
    help: "Functions that have series of their own in `/metrics`, about 80 each: the first that were created; the others are told together",
  },
} as const satisfies Record<string, SettingSpec>;
