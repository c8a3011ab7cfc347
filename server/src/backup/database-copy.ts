import { closeSync, openSync } from "node:fs";
import Database from "better-sqlite3";
import { deploymentMigrations, recordMigrations } from "../store/migrations/lists.ts";
import { translateSqliteError } from "../store/sqlite/sqlite-error.ts";
import { invalidBackup } from "./manifest.ts";

const BUSY_TIMEOUT_MS = 10_000;
const ALL_PAGES = 0x7fffffff;
const PROBLEMS_MAX = 3;

export type Part = "deployments" | "records";

const knownSchemas: Record<Part, number> = {
  deployments: deploymentMigrations.length,
  records: recordMigrations.length,
};

/**
 * Copies a database that a server may be writing to, as it is at one moment, into a new file with mode 0600 that needs no other beside it. All pages are copied in one step: a copy in several
 * begins anew whenever another process has written in between, and under load has no end. Readers and writers of the original are not held up.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  closeSync(openSync(to, "wx", 0o600));
  const source = openExisting(from);
  try {
    await source.backup(to, { progress: () => ALL_PAGES });
  } catch (error) {
    throw translateSqliteError(error, from);
  } finally {
    source.close();
  }
  withDatabase(to, (copy) => void copy.pragma("journal_mode = DELETE"));
}

/** Layers that are kept for later builds and that no revision has: they can be built again. */
export function dropSpareLayers(path: string): void {
  withDatabase(path, (database) => {
    if (!hasLayers(database)) return;
    const used = "SELECT layer_digest FROM revisions WHERE layer_digest IS NOT NULL";
    database.exec(`DELETE FROM layers WHERE digest NOT IN (${used})`);
  });
}

/** Of every artifact that a revision or a layer refers to. */
export function digestsIn(path: string): Set<string> {
  return withDatabase(path, (database) => {
    const code = "SELECT artifact_digest AS digest FROM revisions";
    const layers =
      "UNION SELECT layer_digest FROM revisions WHERE layer_digest IS NOT NULL UNION SELECT digest FROM layers";
    const query = hasLayers(database) ? `${code} ${layers}` : code;
    return new Set(database.prepare<[], string>(query).pluck().all());
  });
}

/** Throws `invalid_backup` where it is damaged, not of Isola, or of a newer one. */
export function checkDatabase(path: string, part: Part): void {
  withDatabase(path, (database) => {
    const found = database.pragma(`integrity_check(${PROBLEMS_MAX})`) as {
      integrity_check: string;
    }[];
    const problems = found.map((row) => row.integrity_check).filter((text) => text !== "ok");
    if (problems.length > 0)
      throw invalidBackup(`its ${part} database is damaged: ${problems.join("; ").slice(0, 300)}`);
    const known = knownSchemas[part];
    const schema = schemaOf(database, part);
    if (schema > known)
      throw invalidBackup(
        `it was written by a newer Isola: its ${part} schema is ${schema}, this version knows up to ${known}`,
      );
  });
}

function schemaOf(database: Database.Database, part: Part): number {
  if (!hasTable(database, "schema_migrations"))
    throw invalidBackup(`its ${part} database is not one of Isola`);
  const query = "SELECT max(number) FROM schema_migrations WHERE part = ?";
  const schema = database.prepare(query).pluck().get(part);
  if (typeof schema !== "number") throw invalidBackup(`it holds no ${part}`);
  return schema;
}

/** A data folder of before builds has none. */
function hasLayers(database: Database.Database): boolean {
  return hasTable(database, "layers");
}

function hasTable(database: Database.Database, name: string): boolean {
  const query = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
  return database.prepare(query).get(name) !== undefined;
}

/** Throws `invalid_backup` where the file is no database. */
function withDatabase<T>(path: string, use: (database: Database.Database) => T): T {
  const database = openExisting(path);
  try {
    return use(database);
  } catch (error) {
    if (error instanceof Database.SqliteError && /^SQLITE_(NOTADB|CORRUPT|ERROR)/.test(error.code))
      throw invalidBackup(`a database in it is damaged (${error.message})`, error);
    throw translateSqliteError(error, path);
  } finally {
    database.close();
  }
}

function openExisting(path: string): Database.Database {
  try {
    return new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw translateSqliteError(error, path);
  }
}
