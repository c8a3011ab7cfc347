import { type Kysely, sql } from "kysely";
import type { Migration } from "./migration.ts";

/** Rows changed between two reads. */
const CHUNK_ROWS = 1000;

/** Projects with settings of their own, keys that are for one of them, and the driver of a revision where it is found without parsing all settings. */
export const projects0004: Migration = {
  name: "0004-projects",
  async up(db) {
    await widenProjects(db);
    await db.schema.alterTable("keys").addColumn("project", "text").execute();
    await db.schema
      .alterTable("revisions")
      .addColumn("driver", "text", (column) => column.notNull().defaultTo(""))
      .execute();
    await fillDrivers(db as Kysely<Revisions>);
  },
};

interface Revisions {
  revisions: { function_id: string; revision: number; settings: string; driver: string };
}

async function widenProjects(db: Kysely<unknown>): Promise<void> {
  const projects = db.schema.alterTable("projects");
  await projects
    .addColumn("description", "text", (column) => column.notNull().defaultTo(""))
    .execute();
  await projects.addColumn("driver", "text").execute();
  await projects
    .addColumn("version", "integer", (column) => column.notNull().defaultTo(1))
    .execute();
  await projects
    .addColumn("updated_at", "double precision", (column) => column.notNull().defaultTo(0))
    .execute();
  await projects.addColumn("deleted_at", "double precision").execute();
  await sql`update projects set updated_at = created_at`.execute(db);
}

async function fillDrivers(db: Kysely<Revisions>): Promise<void> {
  for (;;) {
    const rows = await db
      .selectFrom("revisions")
      .select(["function_id", "revision", "settings"])
      .where("driver", "=", "")
      .limit(CHUNK_ROWS)
      .execute();
    for (const { function_id, revision, settings } of rows)
      await db
        .updateTable("revisions")
        .set({ driver: (JSON.parse(settings) as { driver: string }).driver })
        .where("function_id", "=", function_id)
        .where("revision", "=", revision)
        .execute();
    if (rows.length < CHUNK_ROWS) return;
  }
}
