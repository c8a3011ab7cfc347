import type { Kysely } from "kysely";
import { IsolaError } from "../../errors.ts";
import type { Migration, SchemaEngine } from "./migration.ts";

interface MigrationTables {
  schema_migrations: { part: string; number: number; name: string; applied_at: number };
}

/** One of the sets of tables, which may share a database or have one each. */
export interface SchemaPart {
  name: "deployments" | "records";
  migrations: readonly Migration[];
}

/**
 * Brings a database up to the newest schema, each step in a transaction of its own. A database of a newer Isola is refused
 * (`invalid_settings`) and left as it is: its rows may mean what this version does not know.
 */
export async function migrate(
  database: Kysely<unknown>,
  part: SchemaPart,
  options: { engine: SchemaEngine; place: string; nowMs: number },
): Promise<void> {
  const db = database as Kysely<MigrationTables>;
  await db.schema
    .createTable("schema_migrations")
    .ifNotExists()
    .addColumn("part", "text", (column) => column.notNull())
    .addColumn("number", "integer", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("applied_at", "double precision", (column) => column.notNull())
    .addPrimaryKeyConstraint("schema_migrations_key", ["part", "number"])
    .execute();
  const last = await db
    .selectFrom("schema_migrations")
    .select(["number", "name"])
    .where("part", "=", part.name)
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  const applied = last?.number ?? 0;
  const known = part.migrations.length;
  if (applied > known) {
    throw new IsolaError(
      "invalid_settings",
      `${options.place} was written by a newer Isola: its ${part.name} schema is ${applied} (${last?.name}), this version knows up to ${known}. ` +
        "Start the newer version again, or use another data folder.",
    );
  }
  for (let number = applied + 1; number <= known; number += 1) {
    const migration = part.migrations[number - 1] as Migration;
    await db.transaction().execute(async (trx) => {
      await migration.up(trx as unknown as Kysely<unknown>, options.engine);
      await trx
        .insertInto("schema_migrations")
        .values({ part: part.name, number, name: migration.name, applied_at: options.nowMs })
        .execute();
    });
  }
}
