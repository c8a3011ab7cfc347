import type { DeployedFunction } from "../domain/function.ts";
import type { LogRecord, Phases, StartKind } from "../domain/invocation.ts";
import type { DriverProbe } from "../drivers/driver.ts";
import type { RecordBatch } from "../records/record-batch.ts";

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
  status: { params: Record<string, never>; result: GatewayStatus };
}

export interface LinkNotices {
  /** Gateway to control plane: what happened, at most 1 s late. `batch` is acknowledged with `recorded`. */
  records: RecordBatch & { lost: number };
  /** Control plane to gateway: the batch is in the store. */
  recorded: { batch: number };
  /** Control plane to gateway: the batch could not be stored; it is sent again later. */
  refused: { batch: number };
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
  headers: [string, string][];
  bodyBase64: string;
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
  recordsLost: number;
  /** Frames of sandboxes that came after the outcome of their call was decided. */
  lateFrames: number;
}
