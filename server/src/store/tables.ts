import type { ColumnType, Generated } from "kysely";
import type { DriverName, Layer } from "../domain/function.ts";
import type { Outcome } from "../domain/invocation.ts";
import type { LogLevel } from "../domain/log-level.ts";
import type { ComparisonRow } from "./comparison-store.ts";
import type { BuildRow, RevisionRow } from "./store.ts";

/**
 * Rows as they are kept, the same in every engine. Times are Unix ms (double precision); JSON is text, parsed at the edge of the query files;
 * truth values are 0 and 1. An engine whose driver reads 64-bit integers as text must turn them into numbers.
 */
export interface DeploymentTables {
  projects: {
    name: string;
    description: string;
    driver: DriverName | null;
    version: number;
    created_at: number;
    updated_at: number;
    /** Not null: it is no more, and its name is not given again. */
    deleted_at: number | null;
  };
  functions: {
    id: string;
    project: string;
    name: string;
    description: string;
    /** JSON object. */
    labels: string;
    version: number;
    latest_revision: number;
    created_at: number;
    updated_at: number;
  };
  /** The labels of `functions` once more, to be searched. */
  function_labels: { function_id: string; project: string; label_key: string; label_value: string };
  revisions: {
    function_id: string;
    revision: number;
    artifact_digest: string;
    artifact_bytes: number;
    artifact_entries: number;
    artifact_unpacked_bytes: number;
    /** JSON of `RevisionSettings`. */
    settings: string;
    /** `settings.route` once more, so that all routes are read without parsing all settings. */
    route_path: string | null;
    /** JSON array; null without a route. */
    route_methods: string | null;
    created_at: number;
    created_by: string;
    reason: RevisionRow["reason"];
    /** null, as the four that follow: no layer. */
    layer_place: Layer["place"] | null;
    layer_digest: string | null;
    layer_bytes: number | null;
    layer_entries: number | null;
    layer_unpacked_bytes: number | null;
    /** `settings.driver` once more. */
    driver: DriverName;
    /** How many `settings.schedules` has. */
    schedules: number;
  };
  /** Of each schedule the last run. */
  schedule_runs: {
    function_id: string;
    schedule: string;
    /** No due moment up to this is run any more. */
    handled_until: number;
    /** null, as the three that follow: it never ran. */
    due_at: number | null;
    started_at: number | null;
    invocation_id: string | null;
    outcome: Outcome | null;
  };
  /** What builds have made, by what they made it of. */
  layers: {
    key: string;
    place: Layer["place"];
    digest: string;
    bytes: number;
    entries: number;
    unpacked_bytes: number;
    used_at: number;
  };
  builds: {
    id: string;
    project: string;
    function_name: string;
    runtime: string;
    driver: string;
    state: BuildRow["state"];
    is_cached: number;
    message: string;
    /** Lines, divided by line feeds. */
    output: string;
    started_at: number;
    ended_at: number | null;
  };
  comparisons: {
    id: string;
    project: string;
    function_name: string;
    revision: number;
    state: ComparisonRow["state"];
    message: string;
    /** JSON, as the three that follow. */
    subject: string;
    parameters: string;
    machine: string;
    drivers: string;
    other_calls: number;
    started_at: number;
    ended_at: number | null;
  };
  aliases: { function_id: string; name: string; revision: number };
  keys: {
    id: string;
    name: string;
    /** JSON array. */
    scopes: string;
    secret_hash: string;
    /** null: of every project. */
    project: string | null;
    created_at: number;
    expires_at: number | null;
    last_used_at: number | null;
    revoked_at: number | null;
  };
  /** Of people in browsers, each by a key. */
  sessions: { token_hash: string; key_id: string; created_at: number; expires_at: number };
  idempotency: {
    key_id: string;
    idempotency_key: string;
    request_hash: string;
    status: number;
    body: string;
    created_at: number;
  };
}

export interface RecordTables {
  /** Records of many invocations each, column by column. */
  invocation_chunks: {
    id: Generated<number>;
    records: number;
    /** Of `startedAt`. */
    first_at: number;
    last_at: number;
    /** No id of the chunk sorts before or after these. */
    first_id: string;
    last_id: string;
    data: Uint8Array;
  };
  /** Chunks whose records are not yet in the metrics. */
  uncounted_chunks: { chunk: number };
  /** Which chunks hold something of a function (or any: "") with an outcome (or any: ""). */
  invocation_slices: {
    chunk: number;
    project: string;
    function_name: string;
    outcome: string;
    first_at: number;
    last_at: number;
    records: number;
  };
  /** What came from the gateway lately, so that a batch that comes again is known. */
  record_batches: { source: string; batch: number; stored_at: number };
  /** What numbers are of: labels, `""` and 0 for any. */
  metric_series: {
    id: Generated<number>;
    /** The labels as one text. */
    series_key: string;
    project: string;
    function_name: string;
    function_id: string;
    revision: number;
    driver: string;
    outcome: string;
    start_kind: string;
    /** Minutes from before it (since 1970) are in its hours too. */
    hours_until: number;
    /** Hours from before it are in its days too. */
    days_until: number;
  };
  invocation_sums: MetricKey & {
    invocations: number;
    duration_micros: number;
    queue_micros: number;
    runs: number;
    run_micros: number;
    inits: number;
    init_micros: number;
    start_micros: number;
    request_bytes: number;
    response_bytes: number;
    gb_seconds: number;
    kills: number;
    kill_micros: number;
    cpu_known: number;
    cpu_micros: number;
  };
  /** How many invocations fell into each bucket of a distribution. */
  invocation_histograms: MetricKey & {
    distribution: number;
    bucket: number;
    invocations: number;
  };
  /** What the gateway measured: sums of what it counted, or of the samples of what it looked at. */
  measures: MetricKey & {
    measure: string;
    /** The state, the reason; mostly "". */
    detail: string;
    total: number;
    /** The largest sample. */
    most: number;
  };
  logs: {
    /** Order of arrival; never used twice. */
    seq: Generated<number>;
    project: string;
    function_name: string;
    function_id: string;
    revision: number;
    invocation_id: string | null;
    sandbox_id: string;
    at: number;
    stream: "stdout" | "stderr";
    level: LogLevel;
    text: string;
    truncated: ColumnType<number, number, never>;
  };
  /** One row: what all of `logs` comes to, with what each line takes beside its text. */
  log_totals: { lines: number; bytes: number };
  events: {
    /** Order of arrival; never used twice. */
    seq: Generated<number>;
    kind: string;
    at: number;
    project: string | null;
    function_name: string | null;
    /** JSON object. */
    fields: string;
  };
}

/** One row for each minute, hour or day in which a series has something. */
interface MetricKey {
  /** In minutes: 1, 60, 1440. */
  resolution: number;
  series: number;
  /** Its begin, in minutes since 1970. */
  at: number;
}

/** The alias that every function has. */
export const LIVE = "live";
