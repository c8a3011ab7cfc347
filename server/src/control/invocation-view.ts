import type { InvocationView, Invoked, Warmed } from "@isola/api/invocations";
import { type InvocationRecord, type Outcome, gbSecondsOf } from "../domain/invocation.ts";
import { spanIdOf } from "../domain/trace.ts";
import type { InvokeResult, WarmResult } from "../link/messages.ts";
import { isoTime } from "./function-view.ts";
import { logView } from "./log-view.ts";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function invocationView(row: InvocationRecord): InvocationView {
  const { trace } = row;
  return {
    id: row.id,
    project: row.project,
    functionName: row.functionName,
    revision: row.revision,
    driver: row.driver,
    runtime: row.runtime,
    startKind: row.startKind,
    sandboxId: row.sandboxId,
    outcome: row.outcome,
    errorCode: row.errorCode,
    errorMessage: row.errorMessage,
    status: row.status,
    method: row.method,
    path: row.path,
    startedAt: isoTime(row.startedAt),
    totalMs: row.totalMs,
    queueMs: row.queueMs,
    startMs: row.startMs,
    initMs: row.initMs,
    runMs: row.runMs,
    requestBytes: row.requestBytes,
    responseBytes: row.responseBytes,
    responseMs: row.responseMs,
    memoryMiB: row.memoryMiB,
    gbSeconds: gbSecondsOf(row),
    cpuMs: row.cpuMs,
    memoryPeakBytes: row.memoryPeakBytes,
    killMs: row.killMs,
    traceId: trace?.traceId ?? null,
    spanId: trace?.runSpanId ? spanIdOf(trace.runSpanId, "call") : null,
  };
}

export function invokedView(result: InvokeResult): Invoked {
  const { error, phases } = result;
  return {
    id: result.id,
    revision: result.revision,
    outcome: result.outcome as Outcome,
    error: errorView(error),
    status: result.status,
    headers: result.headers,
    ...bodyView(result.bodyBase64),
    startKind: result.startKind,
    phases: {
      queueMs: phases.queueMs,
      startMs: phases.startMs,
      initMs: phases.initMs,
      runMs: phases.runMs,
    },
    logs: result.logs.map(logView),
  };
}

export function warmedView(result: WarmResult): Warmed {
  const { revision, startKind, sandboxId, error } = result;
  const { queueMs, startMs, initMs } = result.phases;
  const phases = { queueMs, startMs, initMs };
  return { revision, startKind, sandboxId, phases, error: errorView(error) };
}

function errorView(error: InvokeResult["error"]): Invoked["error"] {
  if (error === null) return null;
  const { code, message, type = null, stack = null } = error;
  return { code, message, type, stack };
}

/** As text where it is UTF-8, else as base64. */
function bodyView(bodyBase64: string): Pick<Invoked, "body" | "bodyBase64"> {
  try {
    return { body: strictUtf8.decode(Buffer.from(bodyBase64, "base64")), bodyBase64: null };
  } catch {
    // Not UTF-8: the bytes go out as they came.
    return { body: null, bodyBase64 };
  }
}
