import { type Kysely, sql } from "kysely";
import type { InvocationRecord, Outcome, StartKind } from "../../domain/invocation.ts";
import { chunkOf } from "../../records/chunk-writer.ts";
import { insertChunk } from "../queries/invocation-chunks.ts";
import type { RecordTables } from "../tables.ts";
import type { Migration, SchemaEngine } from "./migration.ts";

/** Invocations in chunks instead of a row each; those that are kept go over. */
export const chunks0002: Migration = {
  name: "0002-invocation-chunks",
  async up(db, engine) {
    await createChunks(db, engine);
    await createSlices(db);
    await createBatches(db);
    await moveInvocations(db);
    await db.schema.dropTable("invocations").execute();
  },
};

async function createChunks(db: Kysely<unknown>, engine: SchemaEngine): Promise<void> {
  await engine
    .addSequence(db.schema.createTable("invocation_chunks"), "id")
    .addColumn("records", "integer", (column) => column.notNull())
    .addColumn("first_at", "double precision", (column) => column.notNull())
    .addColumn("last_at", "double precision", (column) => column.notNull())
    .addColumn("first_id", "text", (column) => column.notNull())
    .addColumn("last_id", "text", (column) => column.notNull())
    .addColumn("data", engine.bytes, (column) => column.notNull())
    .execute();
  // Both hold all that is asked of them, so that the data is not walked through.
  await sql`create index invocation_chunks_by_time on invocation_chunks (last_at, id, records, first_at)`.execute(
    db,
  );
  await sql`create index invocation_chunks_by_id on invocation_chunks (last_id, id, first_id)`.execute(
    db,
  );
}

async function createSlices(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("invocation_slices")
    .addColumn("chunk", "integer", (column) =>
      column.notNull().references("invocation_chunks.id").onDelete("cascade"),
    )
    .addColumn("project", "text", (column) => column.notNull())
    .addColumn("function_name", "text", (column) => column.notNull())
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("first_at", "double precision", (column) => column.notNull())
    .addColumn("last_at", "double precision", (column) => column.notNull())
    .addColumn("records", "integer", (column) => column.notNull())
    .execute();
  await sql`create index invocation_slices_by_time on invocation_slices (project, function_name, outcome, last_at, chunk, first_at)`.execute(
    db,
  );
  await sql`create index invocation_slices_by_chunk on invocation_slices (chunk)`.execute(db);
}

async function createBatches(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("record_batches")
    .addColumn("source", "text", (column) => column.notNull())
    .addColumn("batch", "bigint", (column) => column.notNull())
    .addColumn("stored_at", "double precision", (column) => column.notNull())
    .addPrimaryKeyConstraint("record_batches_key", ["source", "batch"])
    .execute();
  await sql`create index record_batches_by_time on record_batches (stored_at)`.execute(db);
}

interface OldTables extends RecordTables {
  invocations: {
    id: string;
    project: string;
    function_name: string;
    function_id: string;
    revision: number;
    driver: string;
    runtime: string;
    start_kind: StartKind | null;
    sandbox_id: string | null;
    outcome: Outcome;
    error_code: string | null;
    error_message: string | null;
    status: number;
    method: string;
    path: string;
    started_at: number;
    total_ms: number;
    queue_ms: number;
    start_ms: number | null;
    init_ms: number | null;
    run_ms: number | null;
    request_bytes: number;
    response_bytes: number;
  };
}

const MOVED_AT_ONCE = 1000;

async function moveInvocations(database: Kysely<unknown>): Promise<void> {
  const db = database as Kysely<OldTables>;
  for (let after = { started_at: -1, id: "" }; ; ) {
    const rows = await db
      .selectFrom("invocations")
      .selectAll()
      .where((eb) => eb(eb.refTuple("started_at", "id"), ">", eb.tuple(after.started_at, after.id)))
      .orderBy("started_at")
      .orderBy("id")
      .limit(MOVED_AT_ONCE)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    await insertChunk(db as unknown as Kysely<RecordTables>, chunkOf(rows.map(toRecord)));
    after = last;
  }
}

function toRecord(row: OldTables["invocations"]): InvocationRecord {
  return {
    id: row.id,
    project: row.project,
    functionName: row.function_name,
    functionId: row.function_id,
    revision: row.revision,
    driver: row.driver,
    runtime: row.runtime,
    startKind: row.start_kind,
    sandboxId: row.sandbox_id,
    outcome: row.outcome,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    status: row.status,
    method: row.method,
    path: row.path,
    startedAt: row.started_at,
    totalMs: row.total_ms,
    queueMs: row.queue_ms,
    startMs: row.start_ms,
    initMs: row.init_ms,
    runMs: row.run_ms,
    requestBytes: row.request_bytes,
    responseBytes: row.response_bytes,
    killMs: null,
    memoryMiB: null,
    responseMs: null,
    cpuMs: null,
    memoryPeakBytes: null,
    trace: null,
  };
}
