import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test, type TestContext } from "node:test";
import Database from "better-sqlite3";
import { systemClock } from "../../domain/clock.ts";
import { storeConformance } from "../conformance.ts";
import { create, refusal } from "../conformance/fixture.ts";
import { deploymentMigrations, recordMigrations } from "../migrations/lists.ts";
import type { Store } from "../store.ts";
import { openConnections, openSqliteStore, recordsPathOf, storeOn } from "./open-sqlite-store.ts";

storeConformance("SQLite", async (clock) => {
  const dir = await mkdtemp(join(tmpdir(), "isola-store-"));
  const opened: Store[] = [];
  const reopen = async () => {
    const store = await openSqliteStore({ path: join(dir, "isola.db"), clock });
    opened.push(store);
    return store;
  };
  const remove = async () => {
    for (const store of opened) await store.close();
    await rm(dir, { recursive: true });
  };
  return { store: await reopen(), reopen, remove };
});

describe("the SQLite files", () => {
  test("hold what was answered before a kill -9 in the middle of writing", async (t) => {
    const path = await temporaryPath(t);
    const fixture = join(import.meta.dirname, "write-until-killed.fixture.ts");
    const child = spawn(process.execPath, [fixture, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const answered: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      answered.push(line);
      if (answered.length === 50) child.kill("SIGKILL");
    }
    assert.ok(answered.length >= 50);
    const store = await openStore(t, path);
    for (const line of answered) {
      const [name, revision] = line.split(" ");
      const fn = await store.getFunction("default", name as string);
      assert.equal(fn.liveRevision, Number(revision));
    }
    await create(store, "after-the-kill");
    const check = new Database(path, { readonly: true });
    t.after(() => check.close());
    assert.deepEqual(check.pragma("integrity_check"), [{ integrity_check: "ok" }]);
    assert.deepEqual(check.pragma("foreign_key_check"), []);
  });

  test("of a newer Isola are refused with both versions named, and left as they are", async (t) => {
    const path = await temporaryPath(t);
    await (await openSqliteStore({ path })).close();
    for (const [file, part, known] of [
      [path, "deployments", deploymentMigrations.length],
      [recordsPathOf(path), "records", recordMigrations.length],
    ] as const) {
      const newer = new Database(file);
      newer.prepare("insert into schema_migrations values (?, 99, '0099-later', 0)").run(part);
      newer.close();
      await assert.rejects(
        openSqliteStore({ path }),
        refusal("invalid_settings", new RegExp(`newer.*99 \\(0099-later\\).*up to ${known}`)),
      );
      const mended = new Database(file);
      assert.equal(
        mended.prepare("delete from schema_migrations where number = 99").run().changes,
        1,
      );
      mended.close();
    }
    await (await openSqliteStore({ path })).close();
  });

  test("are written with a log ahead, synced per commit for deployments, with foreign keys", async (t) => {
    const connections = openConnections(await temporaryPath(t));
    t.after(() => Object.values(connections).map((database) => database.close()));
    const read = (database: Database.Database) =>
      ["journal_mode", "synchronous", "foreign_keys", "busy_timeout"].map((pragma) =>
        database.pragma(pragma, { simple: true }),
      );
    const [full, normal] = [2, 1];
    assert.deepEqual(read(connections.deployments), ["wal", full, 1, 5000]);
    assert.deepEqual(read(connections.records), ["wal", normal, 1, 5000]);
  });

  test("can be read by their owner alone", async (t) => {
    const path = await temporaryPath(t);
    const store = await openStore(t, path);
    await create(store, "hello");
    for (const file of [path, `${path}-wal`, recordsPathOf(path)]) {
      assert.equal((await stat(file)).mode & 0o777, 0o600, file);
    }
  });

  test("that are damaged or in no folder are named with what to do", async (t) => {
    const path = await temporaryPath(t);
    await writeFile(path, "this is no database, but it is longer than a header of one".repeat(99));
    await assert.rejects(openSqliteStore({ path }), refusal("not_ready", /is not a database/));
    await assert.rejects(
      openSqliteStore({ path: join(path, "..", "none", "isola.db") }),
      refusal("not_ready", /folder/),
    );
  });

  test("that cannot grow refuse a deployment as not ready, keep what they had, and go on when there is room", async (t) => {
    const connections = openConnections(await temporaryPath(t));
    const store = await storeOn(connections, systemClock);
    t.after(() => store.close());
    await create(store, "before");
    const pages = Number(connections.deployments.pragma("page_count", { simple: true }));
    connections.deployments.pragma(`max_page_count = ${pages + 2}`);
    const labels = { filler: "x".repeat(100_000) };
    const failure: unknown = await create(store, "big", labels).catch((error: unknown) => error);
    refusal("not_ready", /isola\.db is not usable: the disk is full/)(failure);
    assert.ok((failure as Error).cause instanceof Database.SqliteError);
    assert.equal((await store.getFunction("default", "before")).version, 1);
    await assert.rejects(store.getFunction("default", "big"), refusal("not_found", /big/));
    connections.deployments.pragma("max_page_count = 1000000");
    await create(store, "big", labels);
  });
});

async function temporaryPath(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "isola-store-"));
  t.after(() => rm(dir, { recursive: true }));
  return join(dir, "isola.db");
}

async function openStore(t: TestContext, path: string): Promise<Store> {
  const store = await openSqliteStore({ path });
  t.after(() => store.close());
  return store;
}
