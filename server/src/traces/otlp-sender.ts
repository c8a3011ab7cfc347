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
}

/** With what the exporter tries again; then the batch is lost. */
const EXPORT_MS_MAX = 10_000;
/** The exporter bounds the silence of a collector, not how long it may trickle. */
const GIVE_UP_MS = EXPORT_MS_MAX + 2000;
const BYTES_PER_MIB = 1_048_576;

/** Sends spans by OTLP/HTTP, as JSON. Loads what it needs, which nobody else does. */
export async function otlpSender(settings: OtlpSettings): Promise<TraceSender> {
  const [{ OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  const exporter = new OTLPTraceExporter({
    url: `${settings.endpoint}/v1/traces`,
    headers: { ...settings.headers },
    timeoutMillis: EXPORT_MS_MAX,
    keepAlive: true,
  });
  return {
    send: (records) => {
      const resources = new Map<string, Resource>();
      const spans = records.flatMap((record) => {
        const attributes = resourceAttributes(settings, record);
        const key = JSON.stringify(attributes);
        const resource = resources.get(key) ?? resourceFromAttributes(attributes);
        resources.set(key, resource);
        return spansOf(record).map((span) => readable(span, resource, settings.version));
      });
      return new Promise((resolve, reject) => {
        const late = () => reject(new Error(`no end of its answer within ${GIVE_UP_MS} ms`));
        const timer = setTimeout(late, GIVE_UP_MS);
        exporter.export(spans, ({ code, error }) => {
          clearTimeout(timer);
          if (code === 0) resolve();
          else reject(error ?? new Error("it did not take them"));
        });
      });
    },
  };
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
