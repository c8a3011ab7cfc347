import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { createGzip, gunzipSync, gzipSync } from "node:zlib";
import Database from "better-sqlite3";
import { extract, pack } from "tar-stream";
import type { IsolaError } from "../errors.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import { openDataFolder } from "../supervisor/data-folder.ts";
import { createBackup } from "./create-backup.ts";
import { restoreBackup } from "./restore-backup.ts";

const never = new AbortController().signal;
const root = mkdtempSync(join(tmpdir(), "isola-backup-"));
const dataDir = join(root, "data");
const good = join(root, "good.tgz");
after(() => rmSync(root, { recursive: true, force: true }));

interface Entry {
  name: string;
  contents: Buffer;
  type?: "file" | "symlink";
}

function backUp(file: string, signal = never) {
  const about = { version: "0.1.0", nowMs: 0, withRecords: true };
  return createBackup({ dataDir, file, signal, ...about });
}

async function entriesOf(file: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  const tar = extract();
  tar.end(gunzipSync(readFileSync(file)));
  for await (const entry of tar) {
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    entries.push({ name: entry.header.name, contents: Buffer.concat(parts) });
  }
  return entries;
}

async function write(file: string, entries: Entry[]): Promise<void> {
  const tar = pack();
  for (const { name, contents, type = "file" } of entries)
    tar.entry({ name, type, ...(type === "symlink" && { linkname: "/etc/passwd" }) }, contents);
  tar.finalize();
  const parts: Buffer[] = [];
  for await (const part of tar.pipe(createGzip())) parts.push(part as Buffer);
  writeFileSync(file, Buffer.concat(parts));
}

before(async () => {
  mkdirSync(dataDir);
  const store = await openSqliteStore({ path: join(dataDir, "isola.db") });
  await store.close();
  writeFileSync(join(dataDir, "admin-key"), "isola_key\n");
  await backUp(good);
});

/** Each makes an archive that has to be refused, of one that is good. */
const hostile: [what: string, make: (file: string) => Promise<void> | void, why: RegExp][] = [
  ["is no archive", (file) => writeFileSync(file, "hello"), /damaged or no backup/],
  ["is empty", (file) => writeFileSync(file, gzipSync("")), /it is empty/],
  [
    "is cut short",
    (file) => {
      writeFileSync(file, readFileSync(good));
      truncateSync(file, readFileSync(good).length - 500);
    },
    /damaged or no backup/,
  ],
  [
    "begins with something else",
    async (file) => await write(file, (await entriesOf(good)).slice(1)),
    /does not begin with a manifest/,
  ],
  [
    "lacks its end",
    async (file) => await write(file, (await entriesOf(good)).slice(0, -1)),
    /ends before admin-key/,
  ],
  [
    "holds a file more",
    async (file) => {
      const more = { name: "../../etc/cron.d/x", contents: Buffer.from("x") };
      await write(file, [...(await entriesOf(good)), more]);
    },
    /"\.\.\/\.\.\/etc\/cron\.d\/x" comes where its end/,
  ],
  [
    "holds a link in place of a file",
    async (file) => {
      const entries = await entriesOf(good);
      const last = entries.at(-1) as Entry;
      await write(file, [
        ...entries.slice(0, -1),
        { ...last, type: "symlink", contents: Buffer.alloc(0) },
      ]);
    },
    /"admin-key" comes where admin-key is expected/,
  ],
  [
    "holds other bytes than its manifest says",
    async (file) => {
      const entries = await entriesOf(good);
      entries.at(-1)?.contents.write("evil");
      await write(file, entries);
    },
    /admin-key was changed/,
  ],
];

/** Each changes the manifest alone. */
const manifests: [what: string, change: (manifest: any) => void, why: RegExp][] = [
  ["is of another program", (one) => (one.format = "zip"), /not that of a backup/],
  ["is of a later format", (one) => (one.version = 2), /its format is 2, this version of Isola re/],
  ["has a member of another type", (one) => (one.files = "all"), /malformed/],
  ["names no database", (one) => one.files.splice(0, 1), /it holds no isola\.db/],
  ["names a file twice", (one) => one.files.push(one.files[0]), /names a file twice/],
  [
    "names a place outside",
    (one) => (one.files[2].name = "../admin-key"),
    /names "\.\.\/admin-key", which no backup holds/,
  ],
  [
    "names code for other contents",
    (one) => (one.files[2].name = `artifacts/${"0".repeat(64)}.tar`),
    /is named for other contents/,
  ],
];

/** Each changes the data folder's copy of the deployments before it is packed. */
const databases: [what: string, sql: string, why: RegExp][] = [
  [
    "is of a newer Isola",
    "INSERT INTO schema_migrations SELECT part, number + 90, 'later', 0 FROM schema_migrations WHERE part = 'deployments'",
    /newer Isola: its deployments schema is \d+, this version knows up to \d+/,
  ],
  ["is not one of Isola", "DROP TABLE schema_migrations", /not one of Isola/],
];

async function assertRefused(file: string, why: RegExp): Promise<void> {
  const target = join(root, "target");
  await assert.rejects(
    restoreBackup({ file, dataDir: target, signal: never }),
    (error: IsolaError) => {
      assert.equal(error.code, "invalid_backup", error.message);
      assert.match(error.message, why);
      return true;
    },
  );
  assert.equal(existsSync(target), false, "something was left behind");
}

describe("an archive that", () => {
  for (const [what, make, why] of hostile)
    test(`${what} is refused, and nothing is left of it`, async () => {
      const file = join(root, "hostile.tgz");
      await make(file);
      await assertRefused(file, why);
    });

  for (const [what, change, why] of manifests)
    test(`has a manifest that ${what} is refused`, async () => {
      const [first, ...rest] = await entriesOf(good);
      const manifest = JSON.parse(String(first?.contents));
      change(manifest);
      const contents = Buffer.from(JSON.stringify(manifest));
      const file = join(root, "hostile.tgz");
      await write(file, [{ name: "manifest.json", contents }, ...rest]);
      await assertRefused(file, why);
    });
});

describe("a database that", () => {
  for (const [what, sql, why] of databases)
    test(`${what} is refused when it is backed up and when it is restored`, async (t) => {
      const whole = readFileSync(join(dataDir, "isola.db"));
      t.after(() => writeFileSync(join(dataDir, "isola.db"), whole));
      const database = new Database(join(dataDir, "isola.db"));
      database.exec(sql);
      database.close();
      await assert.rejects(backUp(join(root, "bad.tgz")), why);
      await restoredDirectly(why);
    });

  test("is damaged is refused when it is backed up and when it is restored", async (t) => {
    const path = join(dataDir, "isola.db");
    const whole = readFileSync(path);
    t.after(() => writeFileSync(path, whole));
    const damaged = Buffer.from(whole);
    randomBytes(4096).copy(damaged, 8192);
    writeFileSync(path, damaged);
    await assert.rejects(backUp(join(root, "bad.tgz")), /damaged/);
    await restoredDirectly(/damaged/);
    assert.deepEqual(
      readdirSync(root).filter((name) => name.startsWith(".")),
      [],
    );
  });
});

/** An archive with the database as it lies in the folder now, made without our checks. */
async function restoredDirectly(why: RegExp): Promise<void> {
  const { createHash } = await import("node:crypto");
  const [, ...rest] = await entriesOf(good);
  const entries = rest.map((entry) =>
    entry.name === "isola.db"
      ? { ...entry, contents: readFileSync(join(dataDir, "isola.db")) }
      : entry,
  );
  const files = entries.map(({ name, contents }) => ({
    name,
    bytes: contents.length,
    sha256: createHash("sha256").update(contents).digest("hex"),
  }));
  const about = { format: "isola-backup", version: 1, createdAt: "", isola: "0.1.0" };
  const contents = Buffer.from(JSON.stringify({ ...about, files }));
  const file = join(root, "direct.tgz");
  await write(file, [{ name: "manifest.json", contents }, ...entries]);
  await assertRefused(file, why);
}

describe("what is given up", () => {
  test("while it is written leaves nothing behind", async () => {
    const stop = new AbortController();
    const begun = backUp(join(root, "given-up.tgz"), stop.signal);
    stop.abort();
    await assert.rejects(begun, { name: "AbortError" });
    assert.deepEqual(
      readdirSync(root).filter((name) => name.includes("given-up")),
      [],
    );
  });

  test("while it is restored leaves nothing behind, in a folder that was there", async (t) => {
    const target = mkdtempSync(join(root, "there-"));
    t.after(() => rmSync(target, { recursive: true }));
    const stop = new AbortController();
    const begun = restoreBackup({ file: good, dataDir: target, signal: stop.signal });
    stop.abort();
    await assert.rejects(begun, { name: "AbortError" });
    assert.deepEqual(readdirSync(target), []);
  });

  test("by a kill keeps a server from starting in the folder", (t) => {
    const target = mkdtempSync(join(root, "killed-"));
    t.after(() => rmSync(target, { recursive: true }));
    mkdirSync(join(target, "restoring"));
    assert.throws(() => openDataFolder(target), /restore into it was cut short.*restore again/);
    rmSync(join(target, "restoring"), { recursive: true });
    openDataFolder(target).release();
  });
});

test("a data folder that a server has locked is not restored to", async (t) => {
  const target = mkdtempSync(join(root, "locked-"));
  t.after(() => rmSync(target, { recursive: true }));
  const folder = openDataFolder(target);
  t.after(() => folder.release());
  const restored = restoreBackup({ file: good, dataDir: target, signal: never });
  await assert.rejects(restored, { code: "conflict" });
});

test("code that is lost or damaged is told, and no archive is made", async (t) => {
  const digest = "ab".repeat(32);
  const whole = readFileSync(join(dataDir, "isola.db"));
  t.after(() => writeFileSync(join(dataDir, "isola.db"), whole));
  const database = new Database(join(dataDir, "isola.db"));
  database.exec(`
    INSERT INTO functions VALUES ('f', 'default', 'f', '', '{}', 1, 1, 0, 0);
    INSERT INTO revisions (function_id, revision, artifact_digest, artifact_bytes, artifact_entries, artifact_unpacked_bytes, settings, created_at, created_by, reason)
      VALUES ('f', 1, '${digest}', 1, 1, 1, '{}', 0, 'k', 'create')`);
  database.close();
  const file = join(root, "lost.tgz");
  await assert.rejects(backUp(file), new RegExp(`is not whole.*${digest}`));
  const path = join(dataDir, "artifacts", "ab", `${digest}.tar`);
  mkdirSync(join(dataDir, "artifacts", "ab"), { recursive: true });
  appendFileSync(path, "other bytes");
  await assert.rejects(backUp(file), { code: "invalid_backup" });
  assert.equal(existsSync(file), false);
});

const programs = { mount: "mount", umount: "umount" };
/** Mounting needs root: `sudo npm test`. */
const mounts = {
  skip: process.getuid?.() === 0 ? false : "mounting a small disk needs root: sudo npm test",
};

function smallDisk(t: TestContext, KiB: number): string {
  const dir = mkdtempSync(join(root, "disk-"));
  execFileSync(programs.mount, ["-t", "tmpfs", "-o", `size=${KiB}k`, "isola-test", dir]);
  t.after(() => execFileSync(programs.umount, [dir]));
  return dir;
}

describe("a full disk", mounts, () => {
  test("is told by a backup, and nothing is left on it", async (t) => {
    const disk = smallDisk(t, 64);
    await assert.rejects(backUp(join(disk, "b.tgz")), (error: IsolaError) => {
      assert.equal(error.code, "not_ready", error.message);
      return /disk is full/.test(error.message);
    });
    assert.deepEqual(readdirSync(disk), []);
  });

  test("is told by a restore before anything is written, with the numbers", async (t) => {
    const disk = smallDisk(t, 128);
    const restored = restoreBackup({ file: good, dataDir: disk, signal: never });
    await assert.rejects(restored, /the backup holds 1 MiB, and the disk has room for 0 MiB/);
    assert.deepEqual(readdirSync(disk), []);
  });
});
