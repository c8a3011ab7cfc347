import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import Database from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";
import { settings } from "../conformance/fixture.ts";
import { deploymentMigrations } from "../migrations/lists.ts";
import { migrate } from "../migrations/migrate.ts";
import { openSqliteStore, sqliteEngine } from "./open-sqlite-store.ts";

const count = 1500; // more than are changed at once

test("functions and keys of a data folder from before projects were a resource are of default and of none, their drivers known", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "isola-store-"));
  t.after(() => rm(dir, { recursive: true }));
  const path = join(dir, "isola.db");
  await writeOldDeployments(path);
  const store = await openSqliteStore({ path });
  t.after(() => store.close());
  const live = await store.liveFunctions();
  assert.equal(live.length, count);
  for (const { project, name, driver } of live)
    assert.deepEqual([project, driver], ["default", driverOf(Number(name.slice(2)))]);
  assert.equal((await store.getKey("k"))?.project, null);
  const { items } = await store.listProjects({ limit: 9 });
  const row = { description: "", driver: null, version: 1, createdAt: 0, updatedAt: 0 };
  assert.deepEqual(items, [{ name: "default", ...row }]);
});

function driverOf(at: number): "docker" | "process" {
  return at % 2 === 0 ? "docker" : "process";
}

async function writeOldDeployments(path: string): Promise<void> {
  const database = new Database(path);
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  const part = { name: "deployments", migrations: deploymentMigrations.slice(0, 2) } as const;
  await migrate(db, part, { engine: sqliteEngine, place: path, nowMs: 0 });
  const into = (table: string, values: string) =>
    database.prepare(`insert into ${table} values ${values}`);
  const functions = into("functions", "(?, 'default', ?, '', '{}', 1, 1, 0, 0)");
  const revisions = into(
    "revisions",
    "(?, 1, 'd', 1, 1, 1, ?, null, null, 0, 'k', 'create', null, null, null, null, null)",
  );
  const aliases = into("aliases", "(?, 'live', 1)");
  database.transaction(() => {
    into("keys", `('k', 'ci', '["read"]', 'c', 0, null, null, null)`).run();
    for (let at = 0; at < count; at += 1) {
      functions.run(`id-${at}`, `f-${at}`);
      revisions.run(`id-${at}`, JSON.stringify({ ...settings, driver: driverOf(at) }));
      aliases.run(`id-${at}`);
    }
  })();
  await db.destroy();
}
