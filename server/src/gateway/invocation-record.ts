import type { DeployedFunction } from "../domain/function.ts";
import type { InvocationRecord } from "../domain/invocation.ts";
import type { LeasePhases } from "../pool/queue.ts";
import type { Decision } from "./decision.ts";
import type { InvocationRequest } from "./invocation-request.ts";
import type { RunLimits } from "./run-limits.ts";

/** What became of a call: the part of its record that neither its function nor its request says. */
export interface InvocationEnd
  extends Pick<
    InvocationRecord,
    | "startKind"
    | "sandboxId"
    | "outcome"
    | "errorCode"
    | "errorMessage"
    | "status"
    | "startedAt"
    | "totalMs"
    | "runMs"
    | "requestBytes"
    | "responseBytes"
    | "responseMs"
    | "cpuMs"
    | "memoryPeakBytes"
    | "killMs"
  > {
  phases: LeasePhases;
}

/** How long the answer took to pass on, once it had begun; null where the gateway answered by itself. */
export function responseMsOf(
  { streamsSince }: Pick<RunLimits, "streamsSince">,
  { at, error }: Pick<Decision, "at" | "error">,
): number | null {
  if (streamsSince !== null) return at - streamsSince;
  return error === null ? 0 : null;
}

/** Every call makes one, and spreading objects into it would cost five times as much. */
export function recordOf(
  fn: DeployedFunction,
  request: InvocationRequest,
  end: InvocationEnd,
): InvocationRecord {
  const { settings } = fn;
  const { phases } = end;
  return {
    id: request.id,
    project: fn.project,
    functionName: fn.name,
    functionId: fn.functionId,
    revision: fn.revision,
    driver: settings.driver,
    runtime: settings.runtime,
    memoryMiB: settings.memoryMiB,
    startKind: end.startKind,
    sandboxId: end.sandboxId,
    outcome: end.outcome,
    errorCode: end.errorCode,
    errorMessage: end.errorMessage,
    status: end.status,
    method: request.lines.method,
    path: request.path,
    startedAt: end.startedAt,
    totalMs: end.totalMs,
    queueMs: phases.queueMs,
    startMs: phases.startMs,
    initMs: phases.initMs,
    runMs: end.runMs,
    requestBytes: end.requestBytes,
    responseBytes: end.responseBytes,
    responseMs: end.responseMs,
    cpuMs: end.cpuMs,
    memoryPeakBytes: end.memoryPeakBytes,
    killMs: end.killMs,
    trace: request.trace,
  };
}
