import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import Database from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";
import { batchOf, logLine } from "../conformance/fixture.ts";
import { LOG_LINE_OVERHEAD_BYTES } from "../queries/log-sizes.ts";
import { records0001 } from "../migrations/0001-records.ts";
import { migrate } from "../migrations/migrate.ts";
import { openSqliteStore, recordsPathOf, sqliteEngine } from "./open-sqlite-store.ts";

test("lines of a data folder from before they were counted are there, found, and counted", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "isola-store-"));
  t.after(() => rm(dir, { recursive: true }));
  const path = join(dir, "isola.db");
  const database = new Database(recordsPathOf(path));
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  const part = { name: "records", migrations: [records0001] } as const;
  await migrate(db, part, { engine: sqliteEngine, place: path, nowMs: 0 });
  const insert = database.prepare(
    "insert into logs (project, function_name, function_id, revision, invocation_id, sandbox_id, at, stream, level, text, truncated) values ('default', ?, 'fn', 1, null, 'sb', ?, 'stdout', 'info', ?, 0)",
  );
  insert.run("hello", 1, "größe");
  insert.run("other", 2, "x");
  await db.destroy();

  const store = await openSqliteStore({ path });
  t.after(() => store.close());
  const bytes = Buffer.byteLength("größex") + 2 * LOG_LINE_OVERHEAD_BYTES;
  assert.deepEqual(await store.logTotals(), { lines: 2, bytes });
  const found = await store.listLogs({ project: "default", text: "GRÖSSE".slice(0, 2), limit: 9 });
  assert.deepEqual(
    found.items.map(({ text }) => text),
    ["größe"],
  );
  await store.recordBatch(batchOf([], [logLine()]));
  assert.equal((await store.logTotals()).lines, 3);
});
