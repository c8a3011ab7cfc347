import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { findRunsc } from "./find-runsc.ts";
import { platformsToTry } from "./platforms.ts";

const skip = process.platform === "linux" && process.arch === "x64" ? false : "Linux on x64 only";

/** A program that says it is a `runsc` of this version. */
function saying(t: TestContext, version: string): string {
  const folder = mkdtempSync(join(tmpdir(), "isola-runsc-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "runsc");
  writeFileSync(path, `#!/bin/sh\necho "runsc version ${version}"\n`, { mode: 0o700 });
  return path;
}

describe("a runsc for sandboxes without an engine", { skip }, () => {
  const enough = { "0.0~20240729.0": "0.0~20240729.0", "release-20250602.0": "20250602.0" };
  for (const [said, version] of Object.entries(enough))
    test(`of version ${said} does`, async (t) => {
      const path = saying(t, said);
      assert.deepEqual(await findRunsc(path), { path, version, problems: [], fixes: [] });
    });

  test("that is too old is told with the first that does, and where to get it", async (t) => {
    const found = await findRunsc(saying(t, "0.0~20221219.0"));
    assert.equal(found.path, null);
    assert.match(found.problems.join(), /is of 20221219; 20240729 or newer is needed/);
    assert.match(found.fixes.join(), /apt-get install runsc/);
  });

  test("of which the version says no day does, and is tried", async (t) => {
    assert.notEqual((await findRunsc(saying(t, "head"))).path, null);
  });

  test("that is not there, or does not run, is told as that", async () => {
    const { path, problems } = await findRunsc("/nonexistent/runsc");
    assert.equal(path, null);
    assert.match(problems.join(), /\/nonexistent\/runsc does not run: .*ENOENT/);
  });
});

test("platforms are tried in this order, and KVM only where nothing virtual is below", () => {
  const machine = (hasKvm: boolean, isVirtual: boolean) => ({
    hasKvm: () => hasKvm,
    isVirtual: () => isVirtual,
  });
  assert.deepEqual(platformsToTry("auto", machine(true, false)), ["kvm", "systrap", "ptrace"]);
  assert.deepEqual(platformsToTry("auto", machine(true, true)), ["systrap", "ptrace"]);
  assert.deepEqual(platformsToTry("auto", machine(false, false)), ["systrap", "ptrace"]);
  assert.deepEqual(platformsToTry("kvm", machine(false, true)), ["kvm"]);
});
