import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { cpuMicrosOf } from "./cpu.ts";
import { parsePrivateBytes, privateBytesOf } from "./memory.ts";
import { parseStat, processTree } from "./process-tree.ts";

test("a command with blanks and parentheses does not shift the fields", () => {
  const text = "42 (a ) (b) S 7 1 1 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5";
  assert.deepEqual(parseStat(text), {
    pid: 42,
    parent: 7,
    cpuTicks: 120,
    endedChildrenTicks: 7,
  });
});

test("private bytes add up clean, dirty and huge pages, and nothing shared", () => {
  const rollup =
    "Rss: 900 kB\nShared_Clean:  800 kB\nPrivate_Clean:   4 kB\nPrivate_Dirty: 12 kB\n";
  assert.equal(parsePrivateBytes(rollup), 16 * 1024);
});

test("a grandchild belongs to the tree, and its CPU time still does after its end", async () => {
  const child = spawn(
    "/bin/sh",
    [
      "-c",
      "/bin/sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; read x' <&0; echo; read x",
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const pid = child.pid as number;
  try {
    while (processTree(pid).length < 2 || cpuMicrosOf(pid) < 50_000) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const before = cpuMicrosOf(pid);
    assert(privateBytesOf(pid, () => true).bytes > 50_000);
    child.stdin.write("\n");
    await once(child.stdout, "data");
    assert.equal(processTree(pid).length, 1);
    assert(cpuMicrosOf(pid) >= before);
  } finally {
    child.stdin.end("\n");
    await once(child, "exit");
  }
  assert.deepEqual(processTree(pid), []);
});
