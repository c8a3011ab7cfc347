import type { HrTime } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { InvocationRecord } from "../domain/invocation.ts";
import { type CallSpan, spansOf } from "./call-spans.ts";
import type { TraceSender } from "./trace-export.ts";

export interface OtlpSettings {
  /** Without `/v1/traces`. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  serviceName: string;
  /** Of Isola itself. */
  version: string;
  /** This data folder, for ever. */
  nodeId: string;
  /** For a batch, with what the exporter tries again. Left out: 10 s. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** The exporter bounds the silence of a collector, not how long it may trickle. */
const GIVE_UP_FACTOR = 1.2;
const BYTES_PER_MIB = 1_048_576;

/** Sends spans by OTLP/HTTP, as JSON. Loads what it needs, which nobody else does. */
export async function otlpSender(settings: OtlpSettings): Promise<TraceSender> {
  const [{ OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  const { timeoutMs = TIMEOUT_MS } = settings;
  const exporter = new OTLPTraceExporter({
    url: `${settings.endpoint}/v1/traces`,
    headers: { ...settings.headers },
    timeoutMillis: timeoutMs,
    keepAlive: true,
  });
  const exported = (spans: ReadableSpan[]) =>
    new Promise<void>((resolve, reject) => {
      exporter.export(spans, ({ code, error }) => {
        if (code === 0) resolve();
        else reject(error ?? new Error("the collector did not take them"));
      });
    });
  return {
    send: async (records) => {
      const resources = new Map<string, Resource>();
      const spans = records.flatMap((record) => {
        const { functionId, revision, driver, runtime } = record;
        const key = `${functionId} ${revision} ${driver} ${runtime}`;
        const known = resources.get(key);
        const resource = known ?? resourceFromAttributes(resourceAttributes(settings, record));
        if (known === undefined) resources.set(key, resource);
        return spansOf(record).map((span) => readable(span, resource, settings.version));
      });
      await within(timeoutMs * GIVE_UP_FACTOR, exported(spans));
    },
  };
}

async function within(ms: number, sent: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no whole answer within ${ms} ms`)), ms);
  try {
    await Promise.race([sent, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What was run, by the conventions for functions. */
function resourceAttributes(settings: OtlpSettings, record: InvocationRecord) {
  const { memoryMiB } = record;
  return {
    "service.name": settings.serviceName,
    "service.version": settings.version,
    "service.instance.id": settings.nodeId,
    "faas.name": record.functionName,
    "faas.version": String(record.revision),
    ...(memoryMiB !== null && { "faas.max_memory": memoryMiB * BYTES_PER_MIB }),
    "isola.project": record.project,
    "isola.function.id": record.functionId,
    "isola.driver": record.driver,
    "isola.runtime": record.runtime,
  };
}

/** `SpanKind` and `SpanStatusCode` of the API, which is not loaded for them. */
const kinds = { internal: 0, server: 1 } as const;
const statuses = { unset: 0, error: 2 } as const;
const SAMPLED = 1;

function readable(span: CallSpan, resource: Resource, version: string): ReadableSpan {
  const { traceId, spanId, parentSpanId, isParentRemote: isRemote, error } = span;
  const context = { traceId, spanId, traceFlags: SAMPLED };
  const startTime = hrTime(span.startMs);
  return {
    name: span.name,
    kind: span.isServer ? kinds.server : kinds.internal,
    spanContext: () => context,
    ...(parentSpanId !== null && {
      parentSpanContext: { traceId, spanId: parentSpanId, traceFlags: SAMPLED, isRemote },
    }),
    startTime,
    endTime: hrTime(span.endMs),
    duration: hrTime(span.endMs - span.startMs),
    status: error === null ? { code: statuses.unset } : { code: statuses.error, message: error },
    attributes: span.attributes,
    events: span.events.map(({ name, atMs }) => ({ name, time: hrTime(atMs) })),
    ...{ links: [], ended: true, resource, instrumentationScope: { name: "isola", version } },
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1000) * 1000];
}
