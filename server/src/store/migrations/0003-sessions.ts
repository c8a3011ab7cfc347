import type { Migration } from "./migration.ts";

export const sessions0003: Migration = {
  name: "0003-sessions",
  async up(db) {
    await db.schema
      .createTable("sessions")
      .addColumn("token_hash", "text", (column) => column.primaryKey())
      .addColumn("key_id", "text", (column) => column.notNull())
      .addColumn("created_at", "double precision", (column) => column.notNull())
      .addColumn("expires_at", "double precision", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("sessions_by_expiry").on("sessions").column("expires_at").execute();
  },
};
