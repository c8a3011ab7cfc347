import type { Kysely } from "kysely";
import type { Migration } from "./migration.ts";

export const builds0002: Migration = {
  name: "0002-builds",
  async up(db) {
    await addLayers(db);
    await createLayers(db);
    await createBuilds(db);
  },
};

async function addLayers(db: Kysely<unknown>): Promise<void> {
  const revisions = db.schema.alterTable("revisions");
  await revisions.addColumn("layer_place", "text").execute();
  await revisions.addColumn("layer_digest", "text").execute();
  await revisions.addColumn("layer_bytes", "bigint").execute();
  await revisions.addColumn("layer_entries", "integer").execute();
  await revisions.addColumn("layer_unpacked_bytes", "bigint").execute();
}

async function createLayers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("layers")
    .addColumn("key", "text", (column) => column.primaryKey())
    .addColumn("place", "text", (column) => column.notNull())
    .addColumn("digest", "text", (column) => column.notNull())
    .addColumn("bytes", "bigint", (column) => column.notNull())
    .addColumn("entries", "integer", (column) => column.notNull())
    .addColumn("unpacked_bytes", "bigint", (column) => column.notNull())
    .addColumn("used_at", "double precision", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("layers_by_used_at").on("layers").column("used_at").execute();
}

async function createBuilds(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("builds")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("project", "text", (column) => column.notNull())
    .addColumn("function_name", "text", (column) => column.notNull())
    .addColumn("runtime", "text", (column) => column.notNull())
    .addColumn("driver", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("is_cached", "integer", (column) => column.notNull())
    .addColumn("message", "text", (column) => column.notNull())
    .addColumn("output", "text", (column) => column.notNull())
    .addColumn("started_at", "double precision", (column) => column.notNull())
    .addColumn("ended_at", "double precision")
    .execute();
  await db.schema
    .createIndex("builds_by_function")
    .on("builds")
    .columns(["project", "function_name", "started_at", "id"])
    .execute();
}
