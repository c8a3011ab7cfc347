import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import {
  type CpuSnapshot,
  cpuMicrosBetween,
  cpuSnapshotOf,
  endedBetween,
  ticksBetween,
} from "./cpu.ts";
import { parsePrivateBytes, privateBytesOf } from "./memory.ts";
import { parseStat, processTree } from "./process-tree.ts";

test("a command with blanks and parentheses does not shift the fields", () => {
  const text = "42 (a ) (b) S 7 1 1 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 555 9";
  assert.deepEqual(parseStat(text), {
    pid: 42,
    parent: 7,
    cpuTicks: 120,
    endedChildrenTicks: 7,
    startTicks: 555,
  });
});

test("private bytes add up clean, dirty and huge pages, and nothing shared", () => {
  const rollup =
    "Rss: 900 kB\nShared_Clean:  800 kB\nPrivate_Clean:   4 kB\nPrivate_Dirty: 12 kB\n";
  assert.equal(parsePrivateBytes(rollup), 16 * 1024);
});

function snapshot(
  ...rows: [pid: number, cpuTicks: number, endedChildrenTicks: number][]
): CpuSnapshot {
  return new Map(
    rows.map(([pid, cpuTicks, endedChildrenTicks]) => [
      `${pid}@1`,
      { pid, parent: 1, cpuTicks, endedChildrenTicks, startTicks: 1 },
    ]),
  );
}

test("a child that ended and was waited for counts with what it used in between", () => {
  const before = snapshot([1, 100, 0], [2, 50, 0]);
  const after = snapshot([1, 110, 57]);
  assert.equal(ticksBetween(before, after), 10 + 7);
  assert.equal(endedBetween(before, after), 1);
});

test("a process that nobody in the tree waited for takes nothing off what the others used", () => {
  const before = snapshot([1, 100, 0], [2, 50, 0]);
  const after = snapshot([1, 110, 0], [3, 4, 0]);
  assert.equal(ticksBetween(before, after), 14);
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
    const start = cpuSnapshotOf(pid);
    while (processTree(pid).length < 2 || cpuMicrosBetween(start, cpuSnapshotOf(pid)) < 50_000) {
      assert.equal(child.exitCode, null);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const before = cpuMicrosBetween(start, cpuSnapshotOf(pid));
    assert(privateBytesOf({ rootPid: pid }, () => true).bytes > 50_000);
    child.stdin.write("\n");
    await once(child.stdout, "data");
    assert.equal(processTree(pid).length, 1);
    assert(cpuMicrosBetween(start, cpuSnapshotOf(pid)) >= before);
  } finally {
    child.stdin.end("\n");
    await once(child, "exit");
  }
  assert.deepEqual(processTree(pid), []);
});
