import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { aptInstall } from "./apt.mjs";

/** Puts an `apt-get` first on the PATH that notes what it is asked, with the service's switch, and then does `script`. */
function standIn(t: TestContext, script: string) {
  const dir = mkdtempSync(join(tmpdir(), "isola-apt-"));
  const path = process.env.PATH;
  t.after(() => {
    process.env.PATH = path;
    rmSync(dir, { recursive: true });
  });
  const notes = join(dir, "asked");
  const text = `#!/bin/sh\necho "$RUNLEVEL $*" >> "${notes}"\ncd "${dir}"\n${script}\n`;
  writeFileSync(join(dir, "apt-get"), text, { mode: 0o755 });
  process.env.PATH = `${dir}:${path}`;
  return {
    isThere: () => existsSync(join(dir, "there")),
    asked: () => readFileSync(notes, "utf8").trim().split("\n"),
  };
}

const install = "1 install -y --no-install-recommends a b";

describe("packages of Debian", () => {
  test("are installed without starting a service", async (t) => {
    const { isThere, asked } = standIn(t, "touch there");
    assert.equal(await aptInstall(["a", "b"], isThere), null);
    assert.deepEqual(asked(), [install]);
  });

  test("are tried again with a new list of packages", async (t) => {
    const script = 'if [ "$1" = update ]; then touch new; elif [ -e new ]; then touch there; fi';
    const { isThere, asked } = standIn(t, script);
    assert.equal(await aptInstall(["a", "b"], isThere), null);
    assert.deepEqual(asked(), [install, "1 update", install]);
  });

  test("that cannot be installed are told with the last words", async (t) => {
    const { isThere } = standIn(t, "echo one; echo two; echo three; echo no such package >&2");
    assert.equal(await aptInstall(["a"], isThere), "two\nthree\nno such package");
  });
});
