import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { hostView, isReachableByAll } from "./host-view.ts";

/** `lib -> real/lib`, `real/lib/one -> one.1`, `real/lib/one.1`, `other`. */
function makeTree(t: TestContext): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "isola-view-")));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "real/lib"), { recursive: true });
  writeFileSync(join(root, "real/lib/one.1"), "");
  writeFileSync(join(root, "other"), "");
  symlinkSync("real/lib", join(root, "lib"));
  symlinkSync("one.1", join(root, "real/lib/one"));
  return root;
}

describe("a host view", () => {
  test("holds the links on the way and the real file", (t) => {
    const root = makeTree(t);
    assert.deepEqual(hostView([join(root, "lib/one")]), {
      links: [
        ["real/lib", join(root, "lib")],
        ["one.1", join(root, "real/lib/one")],
      ],
      binds: [join(root, "real/lib/one.1")],
    });
  });

  test("leaves out what lies in a folder that is mounted anyway, and what does not exist", (t) => {
    const root = makeTree(t);
    const paths = ["lib/one", "lib", "other", "missing", "missing/too"];
    assert.deepEqual(hostView(paths.map((path) => join(root, path))), {
      links: [["real/lib", join(root, "lib")]],
      binds: [join(root, "other"), join(root, "real/lib")],
    });
  });

  test("does not follow a ring of links", (t) => {
    const root = makeTree(t);
    symlinkSync("ring", join(root, "ring"));
    assert.deepEqual(hostView([join(root, "ring")]).binds, []);
  });

  test("a file below a folder of one user only is not reachable by all", (t) => {
    const root = makeTree(t);
    assert.equal(isReachableByAll("/usr"), true);
    assert.equal(isReachableByAll(join(root, "other")), false);
    assert.equal(isReachableByAll(join(root, "missing")), false);
  });
});
