import type { Migration } from "./migration.ts";

export const comparisons0005: Migration = {
  name: "0005-comparisons",
  async up(db) {
    await db.schema
      .createTable("comparisons")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("project", "text", (column) => column.notNull())
      .addColumn("function_name", "text", (column) => column.notNull())
      .addColumn("revision", "integer", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("message", "text", (column) => column.notNull())
      .addColumn("subject", "text", (column) => column.notNull())
      .addColumn("parameters", "text", (column) => column.notNull())
      .addColumn("machine", "text", (column) => column.notNull())
      .addColumn("drivers", "text", (column) => column.notNull())
      .addColumn("other_calls", "bigint", (column) => column.notNull())
      .addColumn("started_at", "double precision", (column) => column.notNull())
      .addColumn("ended_at", "double precision")
      .execute();
    await db.schema
      .createIndex("comparisons_by_project")
      .on("comparisons")
      .columns(["project", "started_at", "id"])
      .execute();
  },
};
