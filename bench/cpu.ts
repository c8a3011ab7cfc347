import { execFileSync } from "node:child_process";
import { processTree } from "./process-tree.ts";

const tickMicros = 1e6 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/**
 * CPU time, user and system, that a process tree has used in its whole life, in microseconds, as fine as the kernel's tick (10 ms mostly). Includes processes that
 * have ended, provided that a parent inside the tree waited for them.
 */
export function cpuMicrosOf(rootPid: number): number {
  let ticks = 0;
  for (const one of processTree(rootPid)) ticks += one.cpuTicks + one.endedChildrenTicks;
  return ticks * tickMicros;
}
