import { type InvocationRecord, SCHEDULE_PATH } from "../domain/invocation.ts";
import { type CallTrace, type SpanName, spanIdOf } from "../domain/trace.ts";

export type SpanAttributes = Record<string, string | number | boolean>;

/** A span as the record of a call tells it. Times are Unix ms with fractions. */
export interface CallSpan {
  name: string;
  isServer: boolean;
  traceId: string;
  spanId: string;
  /** null: the trace begins with it. */
  parentSpanId: string | null;
  /** Of the caller. */
  isParentRemote: boolean;
  startMs: number;
  endMs: number;
  attributes: SpanAttributes;
  /** What failed; null: nothing. */
  error: string | null;
  events: { name: string; atMs: number }[];
}

const MESSAGE_CHARS_MAX = 1000;

/** The spans of a call that is sampled: its own, and in it what took time. None of others. docs/tracing.md has a table of them. */
export function spansOf(record: InvocationRecord): CallSpan[] {
  const { trace, startedAt, totalMs, queueMs, startMs, initMs, runMs } = record;
  if (trace === null || trace.runSpanId === null) return [];
  const base = { ...record, trace: { ...trace, runSpanId: trace.runSpanId } };
  const runFrom = runMs === null ? totalMs : Math.max(0, totalMs - runMs);
  const bounded = (ms: number) => startedAt + Math.min(ms, runFrom);
  const spans = [callSpan(base)];
  let atMs = queueMs;
  if (queueMs > 0) spans.push(part(base, "queue", { startMs: startedAt, endMs: bounded(queueMs) }));
  for (const [name, tookMs] of [
    ["start", startMs],
    ["init", initMs],
  ] as const) {
    if (tookMs === null) continue;
    spans.push(part(base, name, { startMs: bounded(atMs), endMs: bounded(atMs + tookMs) }));
    atMs += tookMs;
  }
  if (runMs !== null) spans.push(runSpan(base, startedAt + runFrom));
  return spans;
}

type Sampled = InvocationRecord & { trace: CallTrace & { runSpanId: string } };

function callSpan(record: Sampled): CallSpan {
  const { trace, startedAt, totalMs } = record;
  return {
    name: record.functionName,
    isServer: true,
    traceId: trace.traceId,
    spanId: spanIdOf(trace.runSpanId, "call"),
    parentSpanId: trace.parentSpanId,
    isParentRemote: trace.parentSpanId !== null,
    ...{ startMs: startedAt, endMs: startedAt + totalMs },
    attributes: callAttributes(record),
    error: errorOf(record),
    events: [],
  };
}

function part(
  { trace, startKind }: Sampled,
  name: Exclude<SpanName, "call">,
  times: Pick<CallSpan, "startMs" | "endMs">,
): CallSpan {
  return {
    ...{ name, isServer: false, traceId: trace.traceId, spanId: spanIdOf(trace.runSpanId, name) },
    ...{ parentSpanId: spanIdOf(trace.runSpanId, "call"), isParentRemote: false, ...times },
    attributes: startKind === null ? {} : { "isola.start.kind": startKind },
    ...{ error: null, events: [] },
  };
}

function runSpan(record: Sampled, startMs: number): CallSpan {
  const endMs = record.startedAt + record.totalMs;
  const span = part(record, "run", { startMs, endMs });
  const { responseMs } = record;
  const events =
    responseMs === null || responseMs === 0
      ? []
      : [{ name: "response started", atMs: Math.max(startMs, endMs - responseMs) }];
  const attributes = {
    ...span.attributes,
    ...failureAttributes(record),
    "isola.outcome": record.outcome,
  };
  return { ...span, attributes, error: errorOf(record), events };
}

function triggerOf({ method, path }: Sampled): string {
  if (method !== "") return "http";
  return path.startsWith(SCHEDULE_PATH) ? "timer" : "other";
}

function callAttributes(record: Sampled): SpanAttributes {
  const { method, status, startKind, sandboxId } = record;
  const attributes: SpanAttributes = {
    "faas.trigger": triggerOf(record),
    "faas.invocation_id": record.id,
    "isola.outcome": record.outcome,
    ...failureAttributes(record),
  };
  if (method !== "")
    Object.assign(attributes, {
      "http.request.method": method,
      "url.path": record.path,
      "url.scheme": "http",
      "http.request.body.size": record.requestBytes,
      "http.response.body.size": record.responseBytes,
      ...(status > 0 && { "http.response.status_code": status }),
    });
  if (startKind !== null) {
    attributes["faas.coldstart"] = startKind !== "warm";
    attributes["isola.start.kind"] = startKind;
  }
  if (sandboxId !== null) attributes["faas.instance"] = sandboxId;
  if (record.cpuMs !== null) attributes["isola.sandbox.cpu_ms"] = record.cpuMs;
  if (record.memoryPeakBytes !== null)
    attributes["isola.sandbox.memory_peak_bytes"] = record.memoryPeakBytes;
  if (record.killMs !== null) attributes["isola.sandbox.kill_ms"] = record.killMs;
  return attributes;
}

function failureAttributes({ errorCode, status }: InvocationRecord): SpanAttributes {
  if (errorCode !== null) return { "error.type": errorCode };
  return status >= 500 ? { "error.type": String(status) } : {};
}

/** As the conventions for HTTP servers have it: what the caller did wrong, or gave up, is no error of the span. */
function errorOf({ outcome, status, errorMessage }: InvocationRecord): string | null {
  if (outcome === "ok") return status >= 500 ? "" : null;
  if (outcome === "cancelled" || (status >= 400 && status < 500)) return null;
  return (errorMessage ?? "").slice(0, MESSAGE_CHARS_MAX);
}
