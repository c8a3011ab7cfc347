import { sql, type Kysely } from "kysely";
import type { Migration } from "./migration.ts";

export const deployments0001: Migration = {
  name: "0001-deployments",
  async up(db) {
    await createProjects(db);
    await createFunctions(db);
    await createRevisions(db);
    await createKeys(db);
  },
};

async function createProjects(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("projects")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("created_at", "double precision", (column) => column.notNull())
    .execute();
  await sql`insert into projects (name, created_at) values ('default', 0)`.execute(db);
}

async function createFunctions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("functions")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("project", "text", (column) => column.notNull().references("projects.name"))
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("description", "text", (column) => column.notNull())
    .addColumn("labels", "text", (column) => column.notNull())
    .addColumn("version", "integer", (column) => column.notNull())
    .addColumn("latest_revision", "integer", (column) => column.notNull())
    .addColumn("created_at", "double precision", (column) => column.notNull())
    .addColumn("updated_at", "double precision", (column) => column.notNull())
    .addUniqueConstraint("functions_by_name", ["project", "name"])
    .execute();
  await index(db, "functions", ["project", "updated_at", "id"]);
  await index(db, "functions", ["project", "created_at", "id"]);
  await db.schema
    .createTable("function_labels")
    .addColumn("function_id", "text", (column) =>
      column.notNull().references("functions.id").onDelete("cascade"),
    )
    .addColumn("project", "text", (column) => column.notNull())
    .addColumn("label_key", "text", (column) => column.notNull())
    .addColumn("label_value", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("function_labels_key", ["function_id", "label_key"])
    .execute();
  await index(db, "function_labels", ["project", "label_key", "label_value", "function_id"]);
}

async function createRevisions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("revisions")
    .addColumn("function_id", "text", (column) =>
      column.notNull().references("functions.id").onDelete("cascade"),
    )
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("artifact_digest", "text", (column) => column.notNull())
    .addColumn("artifact_bytes", "bigint", (column) => column.notNull())
    .addColumn("artifact_entries", "integer", (column) => column.notNull())
    .addColumn("artifact_unpacked_bytes", "bigint", (column) => column.notNull())
    .addColumn("settings", "text", (column) => column.notNull())
    .addColumn("route_path", "text")
    .addColumn("route_methods", "text")
    .addColumn("created_at", "double precision", (column) => column.notNull())
    .addColumn("created_by", "text", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("revisions_key", ["function_id", "revision"])
    .execute();
  await index(db, "revisions", ["artifact_digest"]);
  await db.schema
    .createTable("aliases")
    .addColumn("function_id", "text", (column) =>
      column.notNull().references("functions.id").onDelete("cascade"),
    )
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("aliases_key", ["function_id", "name"])
    .addForeignKeyConstraint(
      "aliases_revision",
      ["function_id", "revision"],
      "revisions",
      ["function_id", "revision"],
      (constraint) => constraint.onDelete("cascade"),
    )
    .execute();
}

async function createKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("keys")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("scopes", "text", (column) => column.notNull())
    .addColumn("secret_hash", "text", (column) => column.notNull())
    .addColumn("created_at", "double precision", (column) => column.notNull())
    .addColumn("expires_at", "double precision")
    .addColumn("last_used_at", "double precision")
    .addColumn("revoked_at", "double precision")
    .execute();
  await db.schema
    .createTable("idempotency")
    .addColumn("key_id", "text", (column) => column.notNull())
    .addColumn("idempotency_key", "text", (column) => column.notNull())
    .addColumn("request_hash", "text", (column) => column.notNull())
    .addColumn("status", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addColumn("created_at", "double precision", (column) => column.notNull())
    .addPrimaryKeyConstraint("idempotency_pair", ["key_id", "idempotency_key"])
    .execute();
  await index(db, "idempotency", ["created_at"]);
}

async function index(db: Kysely<unknown>, table: string, columns: string[]): Promise<void> {
  const name = `${table}_by_${columns.join("_")}`;
  await db.schema.createIndex(name).on(table).columns(columns).execute();
}
