import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

test("the Python runtime passes its own suite", () => {
  const folder = import.meta.dirname;
  const { status, stderr, error } = spawnSync(
    python,
    ["-B", "-m", "unittest", "discover", "-s", join(folder, "tests")],
    { encoding: "utf8", timeout: 300_000 },
  );
  assert.equal(error, undefined);
  assert.equal(status, 0, stderr);
  const ran = /^Ran (\d+) tests? in/m.exec(stderr);
  assert.ok(Number(ran?.[1]) > 0, stderr);
});
