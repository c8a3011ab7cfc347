import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { readPackage } from "../../server/src/artifacts/read-package.ts";
import { filesBelow, tarOf } from "./tar.mjs";

function folderOf(t: TestContext, files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-tar-"));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

/** Paths of a tar as the server reads uploads. */
async function readBack(root: string, only: string[] | null): Promise<readonly string[]> {
  const bytes = await buffer(tarOf(filesBelow(root, only)));
  const read = await readPackage({ kind: "tar", bytes });
  await read.close();
  return read.paths;
}

test("long names, names of other scripts, empty files and those of any size come through", async (t) => {
  const names = [
    "node_modules/a/index.js",
    `node_modules/${"deep/".repeat(20)}${"n".repeat(120)}.js`,
    `node_modules/b/${"x".repeat(76)}.js`,
    "node_modules/b/grüße-\u{1F600}.txt",
    "node_modules/b/@scope/empty",
  ];
  const sizes = [0, 1, 511, 512, 513, 100_000];
  const texts = names.map((name, at) => [name, "y".repeat(sizes[at] as number)]);
  const root = folderOf(t, Object.fromEntries(texts));
  chmodSync(join(root, "node_modules/a/index.js"), 0o755);
  const paths = await readBack(root, ["node_modules"]);
  for (const name of names) assert.ok(paths.includes(name), name);
});

test("links become what they point to below the folder; others are left out, and so are .bin and what is not named", async (t) => {
  const root = folderOf(t, {
    "node_modules/real/index.js": "1",
    "packages/own/index.js": "2",
    "node_modules/.bin/tool": "3",
    "index.mjs": "4",
  });
  const modules = join(root, "node_modules");
  symlinkSync("../packages/own", join(modules, "own"));
  symlinkSync("real/index.js", join(modules, "file.js"));
  symlinkSync("/etc", join(modules, "etc"));
  symlinkSync("/etc/passwd", join(modules, "passwd"));
  symlinkSync("../..", join(modules, "up"));
  symlinkSync("nowhere", join(modules, "broken"));
  symlinkSync("..", join(modules, "real", "loop"));
  const paths = filesBelow(root, ["node_modules"]).map(({ path }) => path);
  assert.deepEqual(paths.toSorted(), [
    "node_modules/file.js",
    "node_modules/own/index.js",
    "node_modules/real/index.js",
  ]);
});
