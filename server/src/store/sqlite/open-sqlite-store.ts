import { closeSync, openSync } from "node:fs";
import Database from "better-sqlite3";
import { Kysely, sql } from "kysely";
import { systemClock, type Clock } from "../../domain/clock.ts";
import { idSource } from "../../domain/ids.ts";
import { deploymentMigrations, recordMigrations } from "../migrations/lists.ts";
import { migrate } from "../migrations/migrate.ts";
import type { SchemaEngine } from "../migrations/migration.ts";
import { SqlStore } from "../sql-store.ts";
import type { Store } from "../store.ts";
import type { DeploymentTables, RecordTables } from "../tables.ts";
import { CachingSqliteDialect } from "./sqlite-dialect.ts";
import { translateSqliteError } from "./sqlite-error.ts";

const BUSY_TIMEOUT_MS = 5000;
/** The write-ahead log shrinks to this after a checkpoint. */
const WAL_BYTES_MAX = 64 * 1_048_576;

export const sqliteEngine: SchemaEngine = {
  bytes: "blob",
  addSequence: (table, name) =>
    table.addColumn(name as never, "integer", (column) => column.primaryKey().autoIncrement()),
  inOrderOfKey: (table) => table.modifyEnd(sql`without rowid`),
};

/**
 * Opens the store in two files: `path` (deployments and keys; every commit is synced) and beside it `<path without .db>-records.db` (invocations
 * and logs; synced at checkpoints), so that a flood of logs neither delays nor endangers a deployment. Creates what is missing, with mode 0600.
 * Rejects with `not_ready` when a file cannot be used, with `invalid_settings` when it is of a newer Isola; then nothing stays open.
 */
export async function openSqliteStore(options: { path: string; clock?: Clock }): Promise<Store> {
  return await storeOn(openConnections(options.path), options.clock ?? systemClock);
}

export interface Connections {
  deployments: Database.Database;
  records: Database.Database;
}

export function openConnections(path: string): Connections {
  const deployments = openDatabase(path, "FULL");
  try {
    return { deployments, records: openDatabase(recordsPathOf(path), "NORMAL") };
  } catch (error) {
    deployments.close();
    throw error;
  }
}

/** Takes the connections over: they are closed with the store, or at once when their tables cannot be brought up to date. */
export async function storeOn(connections: Connections, clock: Clock): Promise<Store> {
  const deployments = new Kysely<DeploymentTables>({
    dialect: new CachingSqliteDialect(connections.deployments),
  });
  const records = new Kysely<RecordTables>({
    dialect: new CachingSqliteDialect(connections.records),
  });
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeAll([deployments, records] as unknown as Kysely<never>[]);
    return closing;
  };
  try {
    await migrate(
      deployments as Kysely<unknown>,
      { name: "deployments", migrations: deploymentMigrations },
      { engine: sqliteEngine, place: connections.deployments.name, nowMs: clock.wall() },
    );
    await migrate(
      records as Kysely<unknown>,
      { name: "records", migrations: recordMigrations },
      { engine: sqliteEngine, place: connections.records.name, nowMs: clock.wall() },
    );
  } catch (error) {
    await close();
    throw error;
  }
  return new SqlStore({ deployments, records, clock, newFunctionId: idSource("fn"), close });
}

export function recordsPathOf(path: string): string {
  return `${path.replace(/\.db$/, "")}-records.db`;
}

type Synchronous = "FULL" | "NORMAL";

function openDatabase(path: string, synchronous: Synchronous): Database.Database {
  let database: Database.Database | undefined;
  try {
    createPrivateFile(path);
    database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    database.pragma("journal_mode = WAL");
    database.pragma(`synchronous = ${synchronous}`);
    database.pragma("foreign_keys = ON");
    database.pragma(`journal_size_limit = ${WAL_BYTES_MAX}`);
    return database;
  } catch (error) {
    database?.close();
    throw translateSqliteError(error, path);
  }
}

/** SQLite gives its own files (-wal, -shm) the mode of the database. */
function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch {
    // SQLite meets the same obstacle next, and its error says which.
  }
}

/** Lets what runs finish first. */
async function closeAll(databases: Kysely<never>[]): Promise<void> {
  for (const db of databases) {
    await db.connection().execute(async () => {});
    await db.destroy();
  }
}
