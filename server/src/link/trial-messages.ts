import type { DeployedFunction } from "../domain/function.ts";

/**
 * A trial runs a function apart from its deployment, perhaps on another driver: no route leads to it, nothing of it is recorded, and its sandboxes end with it. One at
 * a time; it ends with the connection of the control plane, too.
 */
export interface TrialCalls {
  /** Rejects with `driver_unavailable`, or `conflict` while there is another. */
  open: { params: TrialParams; result: { socketPath: string } };
  /** Ends its sandboxes, so that the next call starts one: afresh, or of a blank sandbox, which is then ready. */
  renew: { params: { id: string; from: StartFrom }; result: null };
  usage: { params: { id: string }; result: TrialUsage };
  /** Ends its sandboxes, and starts so many at once; rejects with `sandbox_start_failed` where they are not all ready in time. */
  startMany: { params: { id: string; sandboxes: number }; result: { seconds: number } };
  /** Resolves when nothing of it is left. One that is not there has ended. */
  close: { params: { id: string }; result: null };
}

export type TrialMethod = keyof TrialCalls;

export type TrialAsk = {
  [K in TrialMethod]: { method: K; params: TrialCalls[K]["params"] };
}[TrialMethod];

export type TrialAnswer = TrialCalls[TrialMethod]["result"];

export type StartFrom = "fresh" | "blank";

export interface TrialParams {
  /** Unique for ever. */
  id: string;
  fn: DeployedFunction;
  /** What the body of a request to its socket is: an event, or that of the request. */
  kind: "event" | "http";
}

export interface TrialUsage {
  sandboxes: TrialSandbox[];
  /** Of the gateway and its keeper since they started, whatever for. */
  gatewayCpuMicros: number;
  /** Calls of the trial so far by the start kind of each. */
  startKinds: Record<string, number>;
  /** Calls of everybody else that have ended so far. */
  otherCalls: number;
}

/** null: the driver cannot tell. */
export interface TrialSandbox {
  id: string;
  memoryBytes: number | null;
  cpuMicros: number | null;
}
