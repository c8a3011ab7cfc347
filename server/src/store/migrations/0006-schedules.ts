import type { Migration } from "./migration.ts";

/** What was run of schedules, and how many of them a revision has, so that those are found without parsing all settings: before there were any, none. */
export const schedules0006: Migration = {
  name: "0006-schedules",
  async up(db) {
    await db.schema
      .alterTable("revisions")
      .addColumn("schedules", "integer", (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema
      .createTable("schedule_runs")
      .addColumn("function_id", "text", (column) =>
        column.notNull().references("functions.id").onDelete("cascade"),
      )
      .addColumn("schedule", "text", (column) => column.notNull())
      .addColumn("handled_until", "double precision", (column) => column.notNull())
      .addColumn("due_at", "double precision")
      .addColumn("started_at", "double precision")
      .addColumn("invocation_id", "text")
      .addColumn("outcome", "text")
      .addPrimaryKeyConstraint("schedule_runs_key", ["function_id", "schedule"])
      .execute();
  },
};
