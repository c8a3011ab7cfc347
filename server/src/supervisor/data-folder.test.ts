import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { newBootId, openDataFolder } from "./data-folder.ts";

const module = new URL("data-folder.ts", import.meta.url).href;

function temporaryDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-data-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Another process that opens the folder, says `held` or the code of its failure, and waits to be killed or for its stdin to end. */
function opener(dir: string) {
  const script = `
    const { openDataFolder } = await import(${JSON.stringify(module)});
    try { globalThis.folder = openDataFolder(${JSON.stringify(dir)}); console.log("held " + folder.gatewaySocketPath); }
    catch (error) { console.log(error.code + " " + error.message); }
    process.stdin.resume().on("end", () => process.exit(0));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const said = once(child.stdout, "data").then(([chunk]) => String(chunk).trim());
  return { child, said, closed: once(child, "close") };
}

describe("the data folder", { timeout: 60_000 }, () => {
  test("belongs to one process at a time", async (t) => {
    const dir = temporaryDir(t);
    const other = opener(dir);
    assert.match(await other.said, /^held /);
    const pid = new RegExp(`in use by another Isola \\(process ${other.child.pid}\\)`);
    assert.throws(() => openDataFolder(dir), { code: "data_locked", message: pid });
    other.child.stdin.end();
    await other.closed;
    openDataFolder(dir).release();
  });

  test("is free again the moment its owner is killed", async (t) => {
    const dir = temporaryDir(t);
    const other = opener(dir);
    assert.match(await other.said, /^held /);
    other.child.kill("SIGKILL");
    await other.closed;
    openDataFolder(dir).release();
  });

  test("goes to exactly one of several processes that want it at once", async (t) => {
    const dir = temporaryDir(t);
    const others = Array.from({ length: 4 }, () => opener(dir));
    const answers = await Promise.all(others.map(({ said }) => said));
    assert.equal(answers.filter((answer) => answer.startsWith("held ")).length, 1);
    assert.equal(answers.filter((answer) => answer.startsWith("data_locked")).length, 3);
    for (const { child } of others) child.stdin.end();
    await Promise.all(others.map(({ closed }) => closed));
  });

  test("cannot be opened twice by the same process, and can be again after release", (t) => {
    const dir = temporaryDir(t);
    const folder = openDataFolder(dir);
    assert.throws(() => openDataFolder(dir), { code: "data_locked" });
    folder.release();
    folder.release();
    openDataFolder(dir).release();
  });

  test("keeps its node id, and lives differ", (t) => {
    const dir = temporaryDir(t);
    const ids = [0, 1].map(() => {
      const folder = openDataFolder(dir);
      folder.release();
      return folder.nodeId;
    });
    assert.match(ids[0] as string, /^node-[0-9a-f]{12}$/);
    assert.equal(ids[0], ids[1]);
    assert.notEqual(newBootId(), newBootId());
  });

  test("has a private run folder, also where a wider one was found", (t) => {
    const dir = temporaryDir(t);
    mkdirSync(join(dir, "run"), { mode: 0o755 });
    const folder = openDataFolder(dir);
    assert.equal(statSync(folder.runDir).mode & 0o777, 0o700);
    assert.equal(folder.gatewaySocketPath, join(folder.runDir, "gateway.sock"));
    folder.release();
  });

  test("with a long path gets a short private place for sockets, which goes with it", (t) => {
    const dir = join(temporaryDir(t), "long".repeat(30));
    const first = openDataFolder(dir);
    const place = dirname(first.gatewaySocketPath);
    assert.ok(Buffer.byteLength(first.gatewaySocketPath) <= 100);
    assert.equal(statSync(place).mode & 0o777, 0o700);
    first.release();
    assert.ok(!existsSync(place));
  });

  test("removes the place for sockets of a life that was killed", async (t) => {
    const dir = join(temporaryDir(t), "long".repeat(30));
    const other = opener(dir);
    const place = dirname((await other.said).replace("held ", ""));
    other.child.kill("SIGKILL");
    await other.closed;
    assert.ok(existsSync(place));
    const folder = openDataFolder(dir);
    assert.ok(!existsSync(place));
    folder.release();
  });

  test("that cannot be made is refused as a wrong setting", (t) => {
    const file = join(temporaryDir(t), "file");
    writeFileSync(file, "");
    assert.throws(() => openDataFolder(join(file, "data")), { code: "invalid_settings" });
  });

  test("loses what a killed process had not given its name yet, and nothing else", (t) => {
    const dir = temporaryDir(t);
    const left = ["admin-key.0123456789ab", "api-url.new", "node-id.new"];
    const others = ["admin-key", "admin-key.old", "notes.new"];
    for (const name of [...left, ...others]) writeFileSync(join(dir, name), "x");
    openDataFolder(dir).release();
    for (const name of left) assert.ok(!existsSync(join(dir, name)), name);
    for (const name of others) assert.ok(existsSync(join(dir, name)), name);
  });
});
