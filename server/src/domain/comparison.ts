import type { DriverName } from "./function.ts";

/** What is measured, in the order in which it is shown. */
export const figureSpecs = {
  coldFresh: { unit: "ms", help: "first answer with no sandbox there: one is started for it" },
  coldBlank: { unit: "ms", help: "first answer with a blank sandbox there" },
  warmP50: { unit: "ms", help: "answer of a warm sandbox at one connection, median" },
  warmP99: { unit: "ms", help: "answer of a warm sandbox at one connection, 99th percentile" },
  callsPerSecond: {
    unit: "1/s",
    help: "answers at all connections, each sending when it has its answer",
  },
  cpuPerCall: { unit: "us", help: "CPU of all processes of the sandboxes, by answers" },
  gatewayCpuPerCall: {
    unit: "us",
    help: "CPU of the gateway and its keeper meanwhile, by answers",
  },
  idleMemory: { unit: "MiB", help: "one sandbox after its first answer" },
  busyMemory: {
    unit: "MiB",
    help: "one sandbox under load: the mean of all, when that was highest",
  },
  startsPerSecond: { unit: "1/s", help: "sandboxes started at once until all had loaded the code" },
} as const;

export type FigureName = keyof typeof figureSpecs;
export const figureNames = Object.keys(figureSpecs) as FigureName[];

/** Work that the platform brings along, beside the function itself. */
export const mixSpecs = {
  syscall: "2,000 stat calls",
  cpu: "SHA-256 over 4 MiB",
  memory: "32 MiB written page by page, and given back",
  io: "a file of 1 MiB in /tmp written, read back and removed",
} as const;

export type MixName = keyof typeof mixSpecs;
export const mixNames = Object.keys(mixSpecs) as MixName[];

/** Of every driver and of each mix: what is measured with it. */
export const mixFigures = ["warmP50", "warmP99", "cpuPerCall"] as const;

export type Workload = "function" | MixName;

/** One thing measured on one driver, once a repeat. */
export interface Figure {
  workload: Workload;
  name: FigureName;
  /** One a repeat, in order; empty where it could not be measured. */
  values: number[];
  median: number | null;
  min: number | null;
  max: number | null;
  /** Why it could not be measured; null where it was. */
  missing: string | null;
}

/** How many sandboxes of the function this machine holds, computed. */
export interface Density {
  memoryBudgetMiB: number;
  /** What the memory budget takes for one: the function's memory and the driver's overhead. */
  reservedMiB: number;
  /** `floor(memoryBudgetMiB / reservedMiB)`: so many Isola admits. */
  byBudget: number;
  /** `floor(memoryBudgetMiB / idleMemory)`: so many would fit when all are idle. null: not measured. */
  byIdleMemory: number | null;
  byBusyMemory: number | null;
}

export interface DriverResult {
  driver: DriverName;
  tier: string;
  versions: Record<string, string>;
  /** How the driver counts memory: in the words of its probe. */
  memoryHow: string;
  state: "waiting" | "measured" | "failed" | "unavailable";
  /** Why it failed or is unavailable; null otherwise. */
  reason: string | null;
  figures: Figure[];
  density: Density | null;
}

export interface ComparisonMachine {
  cores: number;
  cpuModel: string;
  memoryMiB: number;
  kernel: string;
  /** Of Node.js, Isola. */
  versions: Record<string, string>;
  /** Mean load of the last minute, when it began. */
  loadBefore: number;
}

export interface ComparisonParameters {
  drivers: DriverName[];
  repeats: number;
  /** Of each warm measurement. */
  durationMs: number;
  /** Of each kind, in each repeat. */
  coldStarts: number;
  connections: number;
  /** Sandboxes started at once, and those that all connections then have; fewer where the function has fewer at most. */
  starts: number;
  mixes: MixName[];
  /** What the function was called with. */
  call: "event" | "http";
}

/** Of the revision that was measured: what its costs are computed from. */
export interface ComparisonSubject {
  runtime: string;
  memoryMiB: number;
  tmpMiB: number;
  concurrency: number;
}

export const comparisonLimits = {
  repeats: { least: 3, most: 20, default: 3 },
  durationMs: { least: 50, most: 60_000, default: 2000 },
  coldStarts: { least: 1, most: 50, default: 5 },
  connections: { least: 1, most: 64, default: 8 },
  starts: { least: 1, most: 32, default: 8 },
} as const;

/** Load that is planned, without starts. */
export const PLANNED_MS_MAX = 1_800_000;
/** After it a comparison fails, however far it has come. */
export const COMPARISON_MS_MAX = 3_600_000;
/** Before each warm measurement, as a part of its duration. */
export const WARMUP_SHARE = 0.25;

/** What all warm measurements take together. */
export function plannedMsOf(given: Omit<ComparisonParameters, "call">): number {
  const { repeats, drivers, durationMs, mixes } = given;
  return repeats * drivers.length * (2 + mixes.length) * durationMs * (1 + WARMUP_SHARE);
}
