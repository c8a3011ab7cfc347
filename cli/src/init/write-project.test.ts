import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { writeProject } from "./write-project.ts";

const files = new Map([
  ["a.mjs", "export {};\n"],
  ["isola.yaml", "functions: {}\n"],
]);
const careful = { isForced: false };
const forced = { isForced: true };

function workplace(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-init-test-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Everything below, so that what is left over shows. */
function pathsIn(dir: string): string[] {
  return (readdirSync(dir, { recursive: true }) as string[]).sort();
}

test("a new folder, and those it is in, are made with the rights of any other", (t) => {
  const dir = workplace(t);
  writeProject(join(dir, "x/y/hello"), files, careful);
  assert.deepEqual(pathsIn(dir), [
    ...["x", "x/y", "x/y/hello", "x/y/hello/a.mjs", "x/y/hello/isola.yaml"],
  ]);
  assert.equal(readFileSync(join(dir, "x/y/hello/a.mjs"), "utf8"), files.get("a.mjs"));
  mkdirSync(join(dir, "other"));
  const modeOf = (path: string) => lstatSync(join(dir, path)).mode;
  assert.equal(modeOf("x/y/hello"), modeOf("other"));
});

test("an empty folder, also behind a link, stays itself and gets the files", (t) => {
  const dir = workplace(t);
  mkdirSync(join(dir, "real"));
  symlinkSync("real", join(dir, "link"));
  const before = lstatSync(join(dir, "real")).ino;
  writeProject(join(dir, "link"), files, careful);
  assert.deepEqual(pathsIn(join(dir, "real")), ["a.mjs", "isola.yaml"]);
  assert.equal(lstatSync(join(dir, "real")).ino, before);
});

test("a folder with files is refused, by name; with force they stay, and none is overwritten", (t) => {
  const dir = workplace(t);
  writeFileSync(join(dir, "notes.txt"), "mine");
  assert.throws(
    () => writeProject(dir, files, careful),
    /not empty, it holds notes\.txt: .*--force/,
  );
  assert.deepEqual(pathsIn(dir), ["notes.txt"]);
  writeFileSync(join(dir, "isola.yaml"), "mine");
  assert.throws(() => writeProject(dir, files, forced), /has isola\.yaml already/);
  assert.deepEqual(pathsIn(dir), ["isola.yaml", "notes.txt"]);
  assert.equal(readFileSync(join(dir, "isola.yaml"), "utf8"), "mine");
  rmSync(join(dir, "isola.yaml"));
  writeProject(dir, files, forced);
  assert.deepEqual(pathsIn(dir), ["a.mjs", "isola.yaml", "notes.txt"]);
});

test("a link that leads nowhere counts as a file that is there", (t) => {
  const dir = workplace(t);
  symlinkSync("nowhere", join(dir, "a.mjs"));
  assert.throws(() => writeProject(dir, files, forced), /has a\.mjs already/);
  assert.throws(
    () => writeProject(join(dir, "a.mjs"), files, careful),
    /a link to what is not there/,
  );
  assert.deepEqual(pathsIn(dir), ["a.mjs"]);
});

test("a path that is a file, or leads through one, is refused", (t) => {
  const dir = workplace(t);
  writeFileSync(join(dir, "file"), "");
  assert.throws(() => writeProject(join(dir, "file"), files, careful), /is a file, not a folder/);
  assert.throws(
    () => writeProject(join(dir, "file/x"), files, careful),
    /part of the path is a file/,
  );
  const long = "n".repeat(300);
  assert.throws(() => writeProject(join(dir, long), files, careful), /too long/);
  assert.deepEqual(pathsIn(dir), ["file"]);
});

test("where this user may not write is told, and nothing is left there", (t) => {
  const dir = workplace(t);
  chmodSync(dir, 0o555);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    const refusal =
      /was not made: this user may not write there \((?!.*\.isola-init-).*\)\. Nothing was written/;
    assert.throws(() => writeProject(join(dir, "x"), files, careful), refusal);
    assert.throws(() => writeProject(dir, files, careful), refusal);
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(dir, 0o755);
  }
  assert.deepEqual(pathsIn(dir), []);
});

/** In a process whose files may be no longer than 4 KiB: writing fails there, as on a disk that is full, after the first file. */
function writeBounded(target: string): string {
  const script = `
    import { writeProject } from ${JSON.stringify(import.meta.resolve("./write-project.ts"))};
    const files = new Map([["a", "short"], ["b", "x".repeat(100_000)]]);
    try {
      writeProject(${JSON.stringify(target)}, files, { isForced: false });
    } catch (error) {
      console.log(error.message);
    }`;
  const command = 'ulimit -f 4 && exec "$0" --input-type=module -e "$1"';
  return execFileSync("sh", ["-c", command, process.execPath, script], { encoding: "utf8" });
}

test("when the files cannot be written to their end, nothing of them is left", (t) => {
  const dir = workplace(t);
  mkdirSync(join(dir, "empty"));
  assert.match(writeBounded(join(dir, "new/hello")), /was not made: .*Nothing was written/);
  assert.match(writeBounded(join(dir, "empty")), /was not made: .*Nothing was written/);
  assert.deepEqual(pathsIn(dir), ["empty"]);
});

test("of several at once one makes the folder, whole, and the others say so", (t) => {
  const dir = workplace(t);
  const script = `
    import { writeProject } from ${JSON.stringify(import.meta.resolve("./write-project.ts"))};
    const [target, id] = process.argv.slice(1);
    const files = new Map(["a", "b", "c"].map((name) => [name, id]));
    try {
      writeProject(target, files, { isForced: false });
      console.log("made");
    } catch (error) {
      console.log(error.message);
    }`;
  const target = join(dir, "hello");
  const each = `"$0" --input-type=module -e "$1" "$2"`;
  const command = `${each} 1 & ${each} 2 & ${each} 3 & wait`;
  const { stdout } = spawnSync("sh", ["-c", command, process.execPath, script, target], {
    encoding: "utf8",
  });
  const lines = stdout.trim().split("\n");
  assert.deepEqual(lines.filter((line) => line === "made").length, 1, stdout);
  for (const line of lines) assert.match(line, /^made$|in the meantime|is not empty/);
  const texts = ["a", "b", "c"].map((name) => readFileSync(join(target, name), "utf8"));
  assert.equal(new Set(texts).size, 1);
  assert.deepEqual(pathsIn(dir), ["hello", "hello/a", "hello/b", "hello/c"]);
});
