import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./pinned-node.mjs";
import { runForOutput } from "./processes.mjs";

test("npm run isola takes paths from the folder where npm was called", async (t) => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "isola-called-from-")));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "note.md"), "");
  const env = { ...process.env, INIT_CWD: dir };
  const args = [join(root, "setup", "isola.mjs"), "deploy", "note.md"];
  const { code, output } = await runForOutput(process.execPath, args, { cwd: root, env });
  assert.equal(code, 2);
  assert.ok(output.includes(`isola: ${dir}/note.md is a file`), output);
});
