import { type Kysely, sql } from "kysely";
import type { RecordTables } from "../tables.ts";
import { LOG_LINE_OVERHEAD_BYTES } from "../queries/log-sizes.ts";
import type { Migration, SchemaEngine } from "./migration.ts";

/** Logs that are listed across functions and bounded by their size, and the events of the platform. */
export const logsAndEvents0003: Migration = {
  name: "0003-logs-and-events",
  async up(db, engine) {
    await sql`drop index logs_by_time`.execute(db);
    await sql`create index logs_by_project on logs (project, at, seq)`.execute(db);
    await countLogs(db);
    await createEvents(db, engine);
  },
};

/** One row, kept up to date with the lines. */
async function countLogs(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable("log_totals")
    .addColumn("lines", "bigint", (column) => column.notNull())
    .addColumn("bytes", "bigint", (column) => column.notNull())
    .execute();
  const db = database as Kysely<RecordTables>;
  await sql`insert into log_totals (lines, bytes)
    select count(*), coalesce(sum(octet_length(text)), 0) + count(*) * ${sql.lit(LOG_LINE_OVERHEAD_BYTES)} from logs`.execute(
    db,
  );
}

async function createEvents(db: Kysely<unknown>, engine: SchemaEngine): Promise<void> {
  await engine
    .addSequence(db.schema.createTable("events"), "seq")
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("at", "double precision", (column) => column.notNull())
    .addColumn("project", "text")
    .addColumn("function_name", "text")
    .addColumn("fields", "text", (column) => column.notNull())
    .execute();
  await sql`create index events_by_time on events (at, seq)`.execute(db);
  await sql`create index events_by_function on events (project, function_name, at, seq) where function_name is not null`.execute(
    db,
  );
}
