import { type DeployedFunction, laterSettings } from "../../src/domain/function.ts";
import type { Random } from "./random.ts";

export const BLANK_MIB = 128;
const REVISIONS_MAX = 20;
/** The most that start and init take in a world where nothing fails. */
const CALM_START_MS = 20;

/** The same for every revision of a function, so that a caller who waits through a deploy has one limit. */
export interface WaitLimits {
  queueTimeoutMs: number;
  initTimeoutMs: number;
}

export function drawWaitLimits(random: Random): WaitLimits {
  return {
    queueTimeoutMs: random.pick([1, 20, 100, 500, 2000]),
    initTimeoutMs: random.pick([1, 20, 100, 500, 2000, 8000]),
  };
}

/** A revision with settings drawn at random. Each has a size in memory of its own, by which the machine's side knows whose sandbox it is. */
export function drawRevision(
  random: Random,
  at: {
    index: number;
    project: string;
    revision: number;
    functionId: string;
    limits: WaitLimits;
  },
): DeployedFunction {
  const { index, project, revision, functionId, limits } = at;
  const concurrency = random.pick([1, 1, 2, 4]);
  const mayBeReady = limits.initTimeoutMs >= CALM_START_MS;
  const minSandboxes = mayBeReady ? random.pick([0, 0, 0, 1, 2]) : 0;
  return {
    project,
    name: `f${index}`,
    functionId,
    revision,
    artifact: { digest: `${index}-${revision}`, bytes: 4, entries: 1, unpackedBytes: 1000 },
    settings: {
      runtime: random.chance(0.8) ? "nodejs26" : "python3.11",
      handler: "index.handler",
      route: null,
      driver: "process",
      memoryMiB:
        BLANK_MIB * random.pick([1, 1, 2, 3]) +
        1 +
        index * REVISIONS_MAX +
        (revision % REVISIONS_MAX),
      tmpMiB: random.chance(0.9) ? 64 : 65,
      timeoutMs: random.pick([1, 5, 50, 200, 1000, 3000]),
      ...limits,
      concurrency,
      minSandboxes,
      maxSandboxes: Math.max(minSandboxes, random.pick([1, 2, 3, 5])),
      idleTimeoutMs: random.pick([1000, 1500, 5000, "auto"] as const),
      env: {},
      exposeErrors: false,
      ...laterSettings,
      concurrencyTarget: random.chance(0.3) ? random.between(1, concurrency) : null,
      reservedConcurrency: random.pick([null, null, null, 1, 4]),
      timeoutGraceMs: random.pick([0, 0, 0, 20]),
      afterResponse: random.pick(["freeze", "freeze", "kill", "allow"]),
      onDisconnect: random.pick(["cancel", "cancel", "continue"]),
    },
  };
}
