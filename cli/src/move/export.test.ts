import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { TestServer } from "../../../server/test/harness.ts";
import { runIsola } from "../../test/run-isola.ts";

const server = new TestServer();
const dir = mkdtempSync(join(tmpdir(), "isola-export-"));
const fns = "/api/v1/functions";
// Of this process alone, so that what is left there is ours.
const tempDir = mkdtempSync(join(tmpdir(), "isola-export-temp-"));

before(async () => {
  await server.start();
  process.env.TMPDIR = tempDir;
});
after(async () => {
  await server.dispose();
  rmSync(dir, { recursive: true });
  rmSync(tempDir, { recursive: true });
});

function isola(...argv: string[]) {
  const env = { ISOLA_URL: server.apiUrl, ISOLA_API_KEY: server.adminKey };
  return runIsola(argv, { env, cwd: dir });
}

const says = (text: string) => `export const handler = async () => process.env.E + " ${text}";`;

/** Five revisions: code, settings, both, and twice the same code; the third is live. */
async function makeHistory(name: string): Promise<void> {
  const first = { "index.mjs": says("one"), "lib/ünï.txt": "x", [`${"deep/".repeat(30)}f`]: "y" };
  const more = { description: "tells", labels: { tier: "web" }, env: { E: "s3cret" } };
  await server.deploy(name, first, { ...more, route: { path: `/${name}-own/*` } });
  const change = async (method: string, path: string, body: object) => {
    const answer = await server.api(method, `${fns}/${name}${path}`, body);
    assert.equal(answer.status, 200, answer.text);
  };
  await change("PATCH", "", { memoryMiB: 256 });
  const code = { files: { "index.mjs": says("two") } };
  await change("PATCH", "", { code, idleTimeoutMs: "auto", env: { E: "other" } });
  await change("PUT", "/code", code);
  await change("PUT", "/code", { files: first });
  await change("POST", "/rollback", { revision: 3 });
}

async function historyOf(name: string) {
  const fn = (await server.api("GET", `${fns}/${name}`)).json;
  const { items } = (await server.api("GET", `${fns}/${name}/revisions`)).json;
  const revisions = items.map((one: object) => ({ ...one, createdAt: "", createdBy: "" }));
  return { live: fn.liveRevision, description: fn.description, labels: fn.labels, revisions };
}

describe("isola export and isola import", () => {
  before(() => makeHistory("old"));

  test("move a function with its revisions, code, settings and live one; rollback works", async () => {
    const exported = await isola("export", "old", "--with-env", "--output", "with.isola.tar.gz");
    assert.equal(exported.exitCode, 0, exported.stderr);
    assert.match(exported.stdout, /5 revisions, 3 is live, .*values of env are in it/);
    assert.equal(statSync(join(dir, "with.isola.tar.gz")).mode & 0o777, 0o600);
    const routeTaken = await isola("import", "with.isola.tar.gz", "--name", "new");
    assert.match(routeTaken.stderr, /old-own/);
    assert.equal((await server.api("GET", `${fns}/new`)).status, 404);
    const copied = await isola("import", "with.isola.tar.gz", "--name", "copy", "--without-route");
    assert.equal(copied.exitCode, 0, copied.stderr);
    assert.equal((await server.call("/copy")).text, "other two");
    const before = await historyOf("old");
    assert.equal((await isola("rm", "old", "--yes")).exitCode, 0);
    const imported = await isola("import", "with.isola.tar.gz", "--name", "new");
    assert.equal(imported.exitCode, 0, imported.stderr);
    assert.match(imported.stdout, /new: imported, 5 revisions, 3 is live/);
    const now = await historyOf("new");
    assert.deepEqual(now, before);
    assert.equal((await server.call("/new")).text, "other two");
    assert.equal((await isola("rollback", "new", "1")).exitCode, 0);
    assert.equal((await server.call("/new")).text, "s3cret one");
  });

  test("leave values of env out, and ask for all that are missing when importing", async () => {
    const exported = await isola("export", "new", "--revisions", "2", "--output", "few.tar.gz");
    assert.match(exported.stdout, /3 revisions, 1 is live, .*without values of env/);
    assert.equal(statSync(join(dir, "few.tar.gz")).mode & 0o777, 0o644);
    assert.doesNotMatch(gunzipSync(readFileSync(join(dir, "few.tar.gz"))).toString(), /s3cret/);
    await isola("rm", "new", "--yes");
    const refused = await isola("import", "few.tar.gz");
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /revisions have E: give them with --env/);
    writeFileSync(join(dir, ".env"), "E=given\n");
    const imported = await isola("import", "few.tar.gz", "--env-file", ".env");
    assert.equal(imported.exitCode, 0, imported.stderr);
    assert.match(imported.stdout, /renumbered: 4 is 2, 5 is 3/);
    assert.equal((await server.call("/new")).text, "given one");
    const again = await isola("import", "few.tar.gz", "--without-env");
    assert.equal(again.exitCode, 1);
    assert.match(again.stderr, /there is a function new in this project already/);
    const existing = await isola("export", "new", "--output", "few.tar.gz");
    assert.match(existing.stderr, /few\.tar\.gz is there already/);
  });

  test("remove what was made where a later revision is refused", async () => {
    const [manifest, codes] = unpack("few.tar.gz");
    manifest.revisions.at(-1).settings.runtime = "cobol77";
    assert.equal((await isola("rm", "new", "--yes")).exitCode, 0);
    pack("later.tar.gz", manifest, codes);
    const wrong = await isola("import", "later.tar.gz", "--name", "half", "--without-env");
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.stderr, /cobol77/);
    assert.equal((await server.api("GET", `${fns}/half`)).status, 404);
    const other = ["--runtime", "nodejs", "--name", "whole", "--without-env"];
    assert.equal((await isola("import", "later.tar.gz", ...other)).exitCode, 0);
  });

  test("refuse hostile and damaged archives by name, and make nothing of them", async () => {
    const [manifest, codes] = unpack("few.tar.gz");
    const [name = "", code = Buffer.alloc(0)] = [...codes][0] ?? [];
    const refusal = async (change: (archive: Archive) => void) => {
      const archive = { manifest: structuredClone(manifest), entries: new Map(codes) };
      change(archive);
      pack("hostile.tar.gz", archive.manifest, archive.entries);
      const { exitCode, stderr } = await isola("import", "hostile.tar.gz", "--name", "evil");
      assert.equal(exitCode, 1, stderr);
      return stderr;
    };
    const evil = Buffer.from("evil");
    const entry = async (path: string) => refusal(({ entries }) => entries.set(path, evil));
    assert.match(await entry("../../evil"), /"\.\.\/\.\.\/evil" is none of the codes/);
    assert.match(await entry("/etc/evil"), /"\/etc\/evil" is none of the codes/);
    const damaged = Buffer.from(code);
    damaged[600] = 7;
    assert.match(await refusal(({ entries }) => entries.set(name, damaged)), /is damaged/);
    const longer = Buffer.concat([code, Buffer.alloc(512)]);
    assert.match(
      await refusal(({ entries }) => entries.set(name, longer)),
      /should have \d+ bytes/,
    );
    assert.match(await refusal(({ entries }) => entries.delete(name)), /it lacks code\//);
    const manifestOf = (change: object) =>
      refusal((archive) => Object.assign(archive.manifest, change));
    assert.match(await manifestOf({ version: 2 }), /expected version 1 of the format, given 2/);
    assert.match(await manifestOf({ format: "zip" }), /no export of a function/);
    assert.match(await manifestOf({ live: 99 }), /live: expected one of its revisions/);
    assert.match(await manifestOf({ revisions: [] }), /revisions: expected /);
    assert.match(await manifestOf({ more: 1 }), /more: expected one of the members/);
    const reversed = manifest.revisions.toReversed();
    assert.match(await manifestOf({ revisions: reversed }), /each number above/);
    writeFileSync(join(dir, "cut.tar.gz"), readFileSync(join(dir, "few.tar.gz")).subarray(0, 300));
    assert.match((await isola("import", "cut.tar.gz")).stderr, /cut\.tar\.gz is not taken: /);
    writeFileSync(join(dir, "odd.tar.gz"), gzipSync(Buffer.from("x".repeat(2000))));
    assert.match((await isola("import", "odd.tar.gz")).stderr, /no tar of plain files, or damaged/);
    writeFileSync(join(dir, "link.tar.gz"), gzipSync(header("isola-export.json", 0, "2")));
    assert.match((await isola("import", "link.tar.gz")).stderr, /is no plain file/);
    writeFileSync(join(dir, "text.txt"), "x");
    assert.match(
      (await isola("import", "text.txt")).stderr,
      /none of what can be imported: an exp/,
    );
    assert.match((await isola("import", "nothing.tar.gz")).stderr, /cannot be read: ENOENT/);
    assert.equal((await server.api("GET", `${fns}/evil`)).status, 404);
  });

  test("leave nothing in temporary folders and no part of a file", async () => {
    assert.deepEqual(readdirSync(tempDir), []);
    assert.equal((await isola("export", "absent")).exitCode, 1);
    const stopped = await runIsola(["export", "whole"], {
      env: { ISOLA_URL: server.apiUrl, ISOLA_API_KEY: server.adminKey },
      cwd: dir,
      signal: AbortSignal.abort(),
    });
    assert.equal(stopped.exitCode, 130);
    assert.equal((await server.api("GET", `${fns}/whole`)).status, 200);
    assert.ok(readdirSync(dir).every((name) => !name.endsWith(".part")));
    assert.ok(!readdirSync(dir).includes("whole.isola.tar.gz"));
  });
});

interface Archive {
  manifest: any;
  entries: Map<string, Buffer>;
}

function unpack(file: string): [any, Map<string, Buffer>] {
  const tar = gunzipSync(readFileSync(join(dir, file)));
  const entries = new Map<string, Buffer>();
  for (let at = 0; tar[at] !== 0; ) {
    const name = tar.toString("utf8", at, tar.indexOf(0, at));
    const size = Number.parseInt(tar.toString("utf8", at + 124, at + 135), 8);
    entries.set(name, tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  const manifest = JSON.parse(entries.get("isola-export.json")?.toString() ?? "");
  entries.delete("isola-export.json");
  const digest = createHash("sha256")
    .update([...entries.values()][0] ?? "")
    .digest("hex");
  assert.equal([...entries.keys()][0], `code/${digest}.tar`);
  return [manifest, entries];
}

function pack(file: string, manifest: object, entries: Map<string, Buffer>): void {
  const all = [["isola-export.json", Buffer.from(JSON.stringify(manifest))] as const, ...entries];
  const blocks = all.flatMap(([name, bytes]) => [
    header(name, bytes.length, "0"),
    bytes,
    Buffer.alloc((512 - (bytes.length % 512)) % 512),
  ]);
  writeFileSync(join(dir, file), gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
}

function header(name: string, size: number, type: string): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write("0000644\0", 100);
  block.write(size.toString(8).padStart(11, "0"), 124);
  block.write("        ", 148);
  block.write(type, 156);
  block.write("ustar\u000000", 257);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
