import type { Artifact, DeployedFunction, DriverName } from "../domain/function.ts";
import type { LogRecord, Phases, StartKind } from "../domain/invocation.ts";
import type { DriverProbe } from "../drivers/driver.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import type { TrialAnswer, TrialAsk } from "./trial-messages.ts";

/**
 * What the control plane and the gateway say to each other, over a unix socket in the data folder: the gateway listens, the control plane
 * dials and dials again. Requests carry a number and are answered once; notices are not answered.
 */
export interface LinkRequests {
  /** Replaces the whole routing table (after every connect), in parts; in force with the last. */
  reset: {
    params: { functions: DeployedFunction[]; isFirst: boolean; isLast: boolean };
    result: Applied;
  };
  /** Changes it. Answered when new calls see the change; calls under way finish on their old revision. */
  apply: { params: { upserts: DeployedFunction[]; removes: FunctionKey[] }; result: Applied };
  /** An invocation made through the API. */
  invoke: { params: InvokeParams; result: InvokeResult };
  /** A sandbox that has loaded the code of the live revision, without a call. Code that does not load is a result. */
  warm: { params: FunctionKey; result: WarmResult };
  status: { params: Record<string, never>; result: GatewayStatus };
  /** Runs a build in a sandbox. Its output comes as `buildOutput`. Rejects only where the platform failed: what the build did wrong is a result. */
  build: { params: BuildParams; result: BuildResult };
  /** Answered at once; the build ends with the outcome `cancelled`. */
  cancelBuild: { params: { id: string }; result: null };
  /** One of `TrialCalls`; its own result. */
  trial: { params: TrialAsk; result: TrialAnswer };
  /** Resolves once a debugger can be attached; rejects with `not_found`, `conflict`, or why no sandbox came to that. What happens then comes as `debugNews`. */
  openDebug: { params: OpenDebugParams; result: DebugPlace };
  /** Resolves when calls take their ordinary way again. One that is not there has ended. */
  closeDebug: { params: { id: string }; result: null };
}

export interface LinkNotices {
  /** Gateway to control plane: what happened, at most 1 s late. `batch` is acknowledged with `recorded`. */
  records: RecordBatch & { lost: number };
  /** Gateway to control plane: lines of a build, in order. */
  buildOutput: { id: string; lines: string[] };
  /** Gateway to control plane. */
  debugNews: { id: string; news: DebugNews };
  /** Control plane to gateway: the batch is in the store. */
  recorded: { batch: number };
  /** Control plane to gateway: the batch could not be stored; it is sent again later. */
  refused: { batch: number };
}

export interface OpenDebugParams {
  /** Unique for ever. */
  id: string;
  project: string;
  name: string;
  /** The code is loaded once a debugger is attached. */
  isAwaited: boolean;
}

/** Where a debugger is reached: each connection to the socket is one of a debugger. */
export interface DebugPlace {
  socketPath: string;
  revision: number;
  driver: DriverName;
  runtime: string;
}

/** What becomes of a session. `open`: a debugger can be attached, as at the start, to a new sandbox or a new revision. `ended`: nothing more comes. */
export type DebugNews =
  | { type: "open"; revision: number }
  | { type: "failed"; revision: number; code: string; message: string }
  | { type: "sandbox_ended"; revision: number; reason: string }
  | { type: "ended"; reason: string };

export interface BuildParams {
  /** Unique for ever. */
  id: string;
  project: string;
  /** Of the function that it is for. */
  name: string;
  runtime: string;
  driver: DriverName;
  /** What runs: the builder of the platform with its input. */
  code: Artifact;
  handler: string;
  timeoutMs: number;
  memoryMiB: number;
  /** Where the sandbox finds the way to the registries. */
  socket: { from: string; at: string };
  /** A new file for what the build makes, in a folder that no sandbox sees. */
  outputPath: string;
  outputBytesMax: number;
}

export interface BuildResult {
  /** As of an invocation. */
  outcome: string;
  errorCode: string | null;
  message: string;
  /** Of the builder's answer: 200, the output is in the file; else `said` has its words. */
  status: number;
  said: string;
}

export interface FunctionKey {
  project: string;
  name: string;
}

export interface Applied {
  functions: number;
}

export interface InvokeParams {
  project: string;
  name: string;
  /** An event for a Lambda-style handler, or an HTTP request for any kind. */
  kind: "event" | "http";
  /** With `http`. */
  method: string;
  /** Path and query, as the function shall see it. */
  target: string;
  /** Of an event only those that tell of traces. */
  headers: [string, string][];
  bodyBase64: string;
  /** Made by whom it comes from, with `idSource("inv")`; left out: by the gateway. */
  id?: string;
  /** Of an event: the schedule whose it is. */
  schedule?: string;
}

export interface InvokeResult {
  id: string;
  revision: number;
  status: number;
  headers: [string, string][];
  bodyBase64: string;
  outcome: string;
  /** Set when the outcome is not `ok`. */
  error: { code: string; message: string; type?: string; stack?: string } | null;
  startKind: StartKind | null;
  phases: Phases;
  logs: LogRecord[];
}

export interface WarmResult {
  revision: number;
  /** null: there is none. */
  startKind: StartKind | null;
  sandboxId: string | null;
  phases: Pick<Phases, "queueMs" | "startMs" | "initMs">;
  error: InvokeResult["error"];
}

export interface PoolStatus {
  project: string;
  functionName: string;
  revision: number;
  driver: string;
  sandboxes: Record<string, number>;
  queued: number;
  running: number;
}

export interface BlankPoolStatus {
  runtime: string;
  driver: string;
  ready: number;
  starting: number;
  target: number;
}

export interface GatewayStatus {
  pid: number;
  uptimeMs: number;
  functions: number;
  runningInvocations: number;
  memoryBudgetMiB: number;
  memoryReservedMiB: number;
  pools: PoolStatus[];
  blankPools: BlankPoolStatus[];
  drivers: DriverProbe[];
  runtimes: { name: string; family: "nodejs" | "python"; version: string }[];
  /** Of all kinds, log lines and events too. */
  recordsLost: number;
  logsLost: number;
  /** Frames of sandboxes that came after the outcome of their call was decided. */
  lateFrames: number;
}
