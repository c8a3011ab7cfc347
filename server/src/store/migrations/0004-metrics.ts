import { sql, type Kysely } from "kysely";
import type { Migration, SchemaEngine } from "./migration.ts";

/** Numbers that are kept longer than the records they are made of. */
export const metrics0004: Migration = {
  name: "0004-metrics",
  async up(db, engine) {
    await createSeries(db, engine);
    await createSums(db, engine);
    await createHistograms(db, engine);
    await createMeasures(db, engine);
    await createUncounted(db);
  },
};

async function createSeries(db: Kysely<unknown>, engine: SchemaEngine): Promise<void> {
  await engine
    .addSequence(db.schema.createTable("metric_series"), "id")
    .addColumn("series_key", "text", (column) => column.notNull().unique())
    .addColumn("project", "text", (column) => column.notNull())
    .addColumn("function_name", "text", (column) => column.notNull())
    .addColumn("function_id", "text", (column) => column.notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("driver", "text", (column) => column.notNull())
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("start_kind", "text", (column) => column.notNull())
    .addColumn("hours_until", "integer", (column) => column.notNull())
    .addColumn("days_until", "integer", (column) => column.notNull())
    .execute();
  await sql`create index metric_series_by_function on metric_series (project, function_name)`.execute(
    db,
  );
}

const sums = [
  ...["invocations", "duration_micros", "queue_micros", "runs", "run_micros", "inits"],
  ...["init_micros", "start_micros", "request_bytes", "response_bytes", "gb_seconds"],
  ...["kills", "kill_micros", "cpu_known", "cpu_micros"],
];

async function createSums(db: Kysely<unknown>, engine: SchemaEngine): Promise<void> {
  let table = keyed(db, "invocation_sums");
  for (const name of sums)
    table = table.addColumn(name, "double precision", (column) => column.notNull());
  await engine
    .inOrderOfKey(
      table.addPrimaryKeyConstraint("invocation_sums_key", [
        "resolution",
        "series",
        "at",
      ] as never[]),
    )
    .execute();
}

async function createHistograms(db: Kysely<unknown>, engine: SchemaEngine): Promise<void> {
  const table = keyed(db, "invocation_histograms")
    .addColumn("distribution", "integer", (column) => column.notNull())
    .addColumn("bucket", "integer", (column) => column.notNull())
    .addColumn("invocations", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("invocation_histograms_key", [
      ...(["resolution", "series", "distribution", "at", "bucket"] as const),
    ]);
  await engine.inOrderOfKey(table).execute();
}

async function createMeasures(db: Kysely<unknown>, engine: SchemaEngine): Promise<void> {
  const table = keyed(db, "measures")
    .addColumn("measure", "text", (column) => column.notNull())
    .addColumn("detail", "text", (column) => column.notNull())
    .addColumn("total", "double precision", (column) => column.notNull())
    .addColumn("most", "double precision", (column) => column.notNull())
    .addPrimaryKeyConstraint("measures_key", [
      ...(["resolution", "series", "at", "measure", "detail"] as const),
    ]);
  await engine.inOrderOfKey(table).execute();
}

/** Records from before are counted too. */
async function createUncounted(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("uncounted_chunks")
    .addColumn("chunk", "integer", (column) =>
      column.primaryKey().references("invocation_chunks.id").onDelete("cascade"),
    )
    .execute();
  await sql`insert into uncounted_chunks (chunk) select id from invocation_chunks`.execute(db);
}

/** Minutes, hours and days of a series. */
function keyed(db: Kysely<unknown>, name: string) {
  return db.schema
    .createTable(name)
    .addColumn("resolution", "integer", (column) => column.notNull())
    .addColumn("series", "integer", (column) => column.notNull())
    .addColumn("at", "integer", (column) => column.notNull());
}
