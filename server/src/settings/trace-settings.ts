import type { SettingSpec } from "./setting-spec.ts";

/** Where traces of calls go, and of how many. Those that have a standard variable take it where nobody says otherwise. */
export const traceSettings = {
  tracesEndpoint: {
    kind: "url",
    default: null,
    shown: "`OTEL_EXPORTER_OTLP_ENDPOINT`, else none",
    standard: "OTEL_EXPORTER_OTLP_ENDPOINT",
    help: "OpenTelemetry collector that traces of calls go to by OTLP/HTTP, without `/v1/traces`, which is added; none: no traces (docs/tracing.md)",
  },
  tracesHeaders: {
    kind: "headers",
    default: {},
    shown: "`OTEL_EXPORTER_OTLP_HEADERS`, else none",
    standard: "OTEL_EXPORTER_OTLP_HEADERS",
    help: "Headers that the collector wants, such as a key; secret, so better not a flag",
  },
  tracesRatio: {
    kind: "decimal",
    least: 0,
    most: 1,
    default: 0.01,
    shown: "`OTEL_TRACES_SAMPLER_ARG`, else 0.01",
    standard: "OTEL_TRACES_SAMPLER_ARG",
    help: "Part of the calls that are traced; of a call whose caller has a trace the caller's flag decides",
  },
  tracesServiceName: {
    kind: "name",
    default: "isola",
    shown: "`OTEL_SERVICE_NAME`, else isola",
    standard: "OTEL_SERVICE_NAME",
    help: "`service.name` of the traces",
  },
} as const satisfies Record<string, SettingSpec>;
