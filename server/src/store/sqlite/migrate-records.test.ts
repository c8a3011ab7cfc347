import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import Database from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";
import type { InvocationRecord } from "../../domain/invocation.ts";
import { invocation, readAll } from "../conformance/fixture.ts";
import { records0001 } from "../migrations/0001-records.ts";
import { migrate } from "../migrations/migrate.ts";
import { openSqliteStore, recordsPathOf, sqliteEngine } from "./open-sqlite-store.ts";

const unknownThen = ["killMs", "memoryMiB", "responseMs", "cpuMs", "memoryPeakBytes", "trace"];
const count = 2500; // more than are moved at once

describe("records of a data folder from before they lay in chunks", () => {
  test("are all there after the next start, as they were", async (t) => {
    const dir = await mkdtemp(join(tmpdir(), "isola-store-"));
    t.after(() => rm(dir, { recursive: true }));
    const path = join(dir, "isola.db");
    const kept = Array.from({ length: count }, (_, at) =>
      invocation({
        id: `inv-${String(at).padStart(5, "0")}`,
        ...Object.fromEntries(unknownThen.map((name) => [name, null])),
        startedAt: Math.floor(at / 3),
        startMs: at % 2 === 0 ? null : 2.5,
        outcome: at % 5 === 0 ? "crash" : "ok",
        errorMessage: at % 5 === 0 ? `it "broke" \u{1F600} ${at}` : null,
      }),
    );
    await writeOldRecords(recordsPathOf(path), kept);

    const store = await openSqliteStore({ path });
    t.after(() => store.close());
    const query = { project: "default", limit: 999 };
    const listed = await readAll((cursor) => store.listInvocations({ ...query, cursor }));
    assert.equal(listed.length, count);
    for (const [at, one] of listed.toReversed().entries()) assert.deepEqual(one, kept[at]);
    const { logs, ...one } = await store.getInvocation("default", "inv-00007");
    assert.deepEqual([one, logs], [kept[7], []]);
    const old = new Database(recordsPathOf(path), { readonly: true });
    t.after(() => old.close());
    const tables = old.prepare("select name from sqlite_master where name like 'invocations%'");
    assert.deepEqual(tables.all(), []);
  });
});

async function writeOldRecords(path: string, records: InvocationRecord[]): Promise<void> {
  const database = new Database(path);
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  const part = { name: "records", migrations: [records0001] } as const;
  await migrate(db, part, { engine: sqliteEngine, place: path, nowMs: 0 });
  // What was not known then reads as null.
  const names = Object.keys(records[0] as object).filter((name) => !unknownThen.includes(name));
  const columns = names.map((name) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`));
  const values = names.map((name) => `@${name}`);
  const insert = database.prepare(`insert into invocations (${columns}) values (${values})`);
  database.transaction(() => {
    for (const record of records)
      insert.run(
        Object.fromEntries(names.map((name) => [name, record[name as keyof typeof record]])),
      );
  })();
  await db.destroy();
}
