import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { NOTHING_TO_DO, initProgram } from "./init-program.ts";

const skip = process.platform === "linux" && process.arch === "x64" ? false : "needs Linux on x64";

function made(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "isola-init-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "init");
  writeFileSync(path, initProgram());
  chmodSync(path, 0o700);
  return path;
}

describe("the first process of a gVisor sandbox", { skip }, () => {
  const ends: [string, string[], number][] = [
    ["nothing", [], NOTHING_TO_DO],
    ["one that ends well", ["/bin/sh", "-c", "exit 0"], 0],
    ["one that ends with a code", ["/bin/sh", "-c", "exit 7"], 7],
    ["one that ends by a signal", ["/bin/sh", "-c", "kill -ABRT $$"], 128 + 6],
    ["no program", ["/nonexistent"], 127],
    // The shell becomes the child, and what it has left behind is its parent's: the first process'.
    ["one that leaves a child", ["/bin/sh", "-c", "(sleep 0.1; exit 3) & exec true"], 0],
  ];
  for (const [what, args, status] of ends)
    test(`that starts ${what} ends with ${status}`, (t) => {
      assert.equal(spawnSync(made(t), args).status, status);
    });

  test("hands arguments and environment on as they are", (t) => {
    const args = ["/bin/sh", "-c", 'echo "$0,$1,$WORD"', "one", "two words"];
    const { stdout } = spawnSync(made(t), args, { env: { WORD: "given" }, encoding: "utf8" });
    assert.equal(stdout, "one,two words,given\n");
  });

  test("hands its descriptor 0 on as 3, and nothing in its place", (t) => {
    const args = ["/bin/sh", "-c", "cat; readlink /proc/self/fd/0; cat <&3"];
    const { stdout } = spawnSync(made(t), args, { input: "given", encoding: "utf8" });
    assert.equal(stdout, "/dev/null\ngiven");
  });

  test("that starts nothing stays until something has come", async (t) => {
    const child = spawn(made(t), { stdio: ["pipe", "ignore", "ignore"] });
    const ended = once(child, "exit");
    assert.equal(await Promise.race([ended, delay(200, "stays")]), "stays");
    child.stdin.write("x");
    assert.deepEqual(await ended, [NOTHING_TO_DO, null]);
  });
});
