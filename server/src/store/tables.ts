import type { ColumnType, Generated } from "kysely";
import type { Layer } from "../domain/function.ts";
import type { BuildRow, ComparisonRow, RevisionRow } from "./store.ts";

/**
 * Rows as they are kept, the same in every engine. Times are Unix ms (double precision); JSON is text, parsed at the edge of the query files;
 * truth values are 0 and 1. An engine whose driver reads 64-bit integers as text must turn them into numbers.
 */
export interface DeploymentTables {
  projects: { name: string; created_at: number };
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
    created_at: number;
    expires_at: number | null;
    last_used_at: number | null;
    revoked_at: number | null;
  };
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
    level: "none" | "trace" | "debug" | "info" | "warn" | "error" | "fatal";
    text: string;
    truncated: ColumnType<number, number, never>;
  };
}

/** The alias that every function has. */
export const LIVE = "live";
