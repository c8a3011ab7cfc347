import type { DeployedFunction } from "../domain/function.ts";
import type { InvocationRecord } from "../domain/invocation.ts";
import type { LeasePhases } from "../pool/queue.ts";
import type { InvocationRequest } from "./invocation-request.ts";

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
    | "killMs"
  > {
  phases: LeasePhases;
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
    killMs: end.killMs,
  };
}
