import {
  type DeployedFunction,
  type RevisionSettings,
  laterSettings,
} from "../../domain/function.ts";
import type { StartKind } from "../../domain/invocation.ts";
import type { IsolaError } from "../../errors.ts";
import type { PooledSandbox } from "../pooled-sandbox.ts";
import { Pools, type PoolsOptions } from "../pools.ts";
import type { LeasePhases, Waiter } from "../queue.ts";
import { InProcessDriver } from "./in-process-driver.ts";
import { ManualClock } from "./manual-clock.ts";

const runtime = {
  name: "nodejs26",
  family: "nodejs" as const,
  version: "26.0.0",
  executable: "/node",
  args: [],
  runtimeDir: "/",
  needs: [],
};

/** Pools on an in-process driver and a clock that stands still. */
export class PoolBench {
  readonly clock = new ManualClock();
  readonly driver = new InProcessDriver();
  readonly problems: string[] = [];

  /** Without blank sandboxes, with room for 100 small functions and a queue of 5, unless told otherwise. */
  pools(options: Partial<PoolsOptions> = {}): Pools {
    return new Pools({
      bootId: "test",
      clock: this.clock,
      drivers: new Map([["process", this.driver]]),
      defaultDriver: "process",
      runtimes: new Map([["nodejs26", runtime]]),
      memoryBudgetMiB: 128 * 100,
      startsAtOnceMax: 100,
      queueLengthMax: 5,
      blankQuietMs: 900_000,
      blanks: { nodejs: 0, python: 0 },
      code: () => [Buffer.from("code")],
      events: { onLog: () => {}, onRaw: () => {} },
      watch: { add: () => {}, remove: () => {} },
      onProblem: (message) => this.problems.push(message),
      ...options,
    });
  }
}

export function makeFunction(
  settings: Partial<RevisionSettings> = {},
  identity: Partial<DeployedFunction> = {},
): DeployedFunction {
  return {
    project: "default",
    name: "hello",
    functionId: "fn-1",
    revision: 1,
    artifact: { digest: "00", bytes: 1, entries: 1, unpackedBytes: 1000 },
    settings: {
      runtime: "nodejs26",
      handler: "index.handler",
      route: null,
      driver: "process",
      memoryMiB: 128,
      tmpMiB: 64,
      timeoutMs: 1000,
      initTimeoutMs: 500,
      queueTimeoutMs: 300,
      concurrency: 1,
      minSandboxes: 0,
      maxSandboxes: 10,
      idleTimeoutMs: 5000,
      env: {},
      exposeErrors: false,
      ...laterSettings,
      ...settings,
    },
    ...identity,
  };
}

/** Someone who waits, and remembers what came of it. */
export class Caller implements Waiter {
  sandbox: PooledSandbox | null = null;
  kind: StartKind | null = null;
  phases: LeasePhases | null = null;
  error: IsolaError | null = null;
  calls = 0;

  onLease(sandbox: PooledSandbox, kind: StartKind, phases: LeasePhases): void {
    this.calls += 1;
    this.sandbox = sandbox;
    this.kind = kind;
    this.phases = phases;
  }

  onRefused(error: IsolaError): void {
    this.calls += 1;
    this.error = error;
  }

  get settled(): boolean {
    return this.calls > 0;
  }
}

export function callers(count: number): Caller[] {
  return Array.from({ length: count }, () => new Caller());
}

/** Lets everything that can happen without time passing happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
