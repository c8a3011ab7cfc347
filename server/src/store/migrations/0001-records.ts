import { sql, type Kysely } from "kysely";
import type { Migration, SchemaEngine } from "./migration.ts";

export const records0001: Migration = {
  name: "0001-records",
  async up(db, engine) {
    await createInvocations(db);
    await createLogs(db, engine);
  },
};

async function createInvocations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("invocations")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("project", "text", (column) => column.notNull())
    .addColumn("function_name", "text", (column) => column.notNull())
    .addColumn("function_id", "text", (column) => column.notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("driver", "text", (column) => column.notNull())
    .addColumn("runtime", "text", (column) => column.notNull())
    .addColumn("start_kind", "text")
    .addColumn("sandbox_id", "text")
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("error_code", "text")
    .addColumn("error_message", "text")
    .addColumn("status", "integer", (column) => column.notNull())
    .addColumn("method", "text", (column) => column.notNull())
    .addColumn("path", "text", (column) => column.notNull())
    .addColumn("started_at", "double precision", (column) => column.notNull())
    .addColumn("total_ms", "double precision", (column) => column.notNull())
    .addColumn("queue_ms", "double precision", (column) => column.notNull())
    .addColumn("start_ms", "double precision")
    .addColumn("init_ms", "double precision")
    .addColumn("run_ms", "double precision")
    .addColumn("request_bytes", "bigint", (column) => column.notNull())
    .addColumn("response_bytes", "bigint", (column) => column.notNull())
    .execute();
  await sql`create index invocations_by_time on invocations (started_at, id)`.execute(db);
  await sql`create index invocations_by_project on invocations (project, started_at, id)`.execute(
    db,
  );
  await sql`create index invocations_by_function on invocations (project, function_name, started_at, id)`.execute(
    db,
  );
  // Each index costs every call; most calls are ok, and nobody looks for them by that.
  await sql`create index invocations_failed on invocations (project, outcome, started_at, id) where outcome <> 'ok'`.execute(
    db,
  );
}

async function createLogs(db: Kysely<unknown>, engine: SchemaEngine): Promise<void> {
  await engine
    .addSequence(db.schema.createTable("logs"), "seq")
    .addColumn("project", "text", (column) => column.notNull())
    .addColumn("function_name", "text", (column) => column.notNull())
    .addColumn("function_id", "text", (column) => column.notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("invocation_id", "text")
    .addColumn("sandbox_id", "text", (column) => column.notNull())
    .addColumn("at", "double precision", (column) => column.notNull())
    .addColumn("stream", "text", (column) => column.notNull())
    .addColumn("level", "text", (column) => column.notNull())
    .addColumn("text", "text", (column) => column.notNull())
    .addColumn("truncated", "integer", (column) => column.notNull())
    .execute();
  await sql`create index logs_by_function on logs (project, function_name, at, seq)`.execute(db);
  await sql`create index logs_by_time on logs (at, seq)`.execute(db);
  await sql`create index logs_by_invocation on logs (invocation_id, at, seq) where invocation_id is not null`.execute(
    db,
  );
}
