import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makePrivateFolder, removeTree } from "./private-folder.ts";

test("a folder is removed with what may not be written to, by several at once, and links are not followed", async (t) => {
  const parent = mkdtempSync(join(tmpdir(), "isola-private-"));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  writeFileSync(join(parent, "kept"), "kept");
  for (let round = 0; round < 20; round += 1) {
    const folder = await makePrivateFolder(parent, `sandbox-${round}`);
    for (let at = 0; at < 20; at += 1) {
      await mkdir(join(folder, "task", `${at}`));
      writeFileSync(join(folder, "task", `${at}`, "file"), "x");
      symlinkSync(join(parent, "kept"), join(folder, "task", `${at}`, "link"));
      await chmod(join(folder, "task", `${at}`), 0o500);
    }
    await Promise.all([removeTree(folder), removeTree(folder), removeTree(folder)]);
    assert.equal(existsSync(folder), false);
  }
  assert.equal(existsSync(join(parent, "kept")), true);
});
