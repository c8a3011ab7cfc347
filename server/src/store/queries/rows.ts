import { laterSettings } from "../../domain/function.ts";
import { strict as assert } from "node:assert";
import type { Selectable } from "kysely";
import type { DeploymentTables } from "../tables.ts";
import type { FunctionRow, RevisionRow } from "../store.ts";

/** Most rows that one page of any list may hold. */
export const PAGE_ROWS_MAX = 10_000;

export function assertPageLimit(limit: number): void {
  assert(
    Number.isInteger(limit) && limit >= 1 && limit <= PAGE_ROWS_MAX,
    `limit ${limit} is not within 1..${PAGE_ROWS_MAX}`,
  );
}

type FunctionColumns = Selectable<DeploymentTables["functions"]> & { live_revision: number };

export function toFunctionRow(row: FunctionColumns): FunctionRow {
  return {
    id: row.id,
    project: row.project,
    name: row.name,
    description: row.description,
    labels: JSON.parse(row.labels),
    version: row.version,
    liveRevision: row.live_revision,
    latestRevision: row.latest_revision,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export const functionColumns = [
  "functions.id",
  "functions.project",
  "functions.name",
  "functions.description",
  "functions.labels",
  "functions.version",
  "functions.latest_revision",
  "functions.created_at",
  "functions.updated_at",
  "aliases.revision as live_revision",
] as const;

export function toRevisionRow(row: Selectable<DeploymentTables["revisions"]>): RevisionRow {
  return {
    functionId: row.function_id,
    revision: row.revision,
    artifact: {
      digest: row.artifact_digest,
      bytes: row.artifact_bytes,
      entries: row.artifact_entries,
      unpackedBytes: row.artifact_unpacked_bytes,
    },
    ...layerOf(row),
    settings: { ...laterSettings, ...JSON.parse(row.settings) },
    createdAt: row.created_at,
    createdBy: row.created_by,
    reason: row.reason,
  };
}

function layerOf(row: Selectable<DeploymentTables["revisions"]>): Pick<RevisionRow, "layer"> {
  if (row.layer_place === null) return {};
  const artifact = {
    digest: row.layer_digest as string,
    bytes: row.layer_bytes as number,
    entries: row.layer_entries as number,
    unpackedBytes: row.layer_unpacked_bytes as number,
  };
  return { layer: { place: row.layer_place, artifact } };
}

export function fromRevisionRow(row: RevisionRow): Selectable<DeploymentTables["revisions"]> {
  const { route } = row.settings;
  return {
    function_id: row.functionId,
    revision: row.revision,
    artifact_digest: row.artifact.digest,
    artifact_bytes: row.artifact.bytes,
    artifact_entries: row.artifact.entries,
    artifact_unpacked_bytes: row.artifact.unpackedBytes,
    settings: JSON.stringify(row.settings),
    route_path: route?.path ?? null,
    route_methods: route ? JSON.stringify(route.methods) : null,
    created_at: row.createdAt,
    created_by: row.createdBy,
    reason: row.reason,
    layer_place: row.layer?.place ?? null,
    layer_digest: row.layer?.artifact.digest ?? null,
    layer_bytes: row.layer?.artifact.bytes ?? null,
    layer_entries: row.layer?.artifact.entries ?? null,
    layer_unpacked_bytes: row.layer?.artifact.unpackedBytes ?? null,
    driver: row.settings.driver,
    schedules: row.settings.schedules.length,
  };
}
