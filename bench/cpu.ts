import { execFileSync } from "node:child_process";
import { type ProcessStat, processTree } from "./process-tree.ts";

const tickMicros = 1e6 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** CPU times of a process tree at one moment. */
export type CpuSnapshot = ReadonlyMap<string, ProcessStat>;

export function cpuSnapshotOf(rootPid: number, mark: string | null = null): CpuSnapshot {
  return new Map(processTree(rootPid, mark).map((one) => [`${one.pid}@${one.startTicks}`, one]));
}

/** CPU between two snapshots, user and system, in microseconds, as fine as the kernel's tick (10 ms mostly). */
export function cpuMicrosBetween(before: CpuSnapshot, after: CpuSnapshot): number {
  return ticksBetween(before, after) * tickMicros;
}

/**
 * What the living used, and what those that ended meanwhile used, as far as a parent inside the tree waited for them. A process that was killed together with its
 * parent is waited for outside of the tree: what it used since `before` is not counted, and what it had used till then is not taken off.
 */
export function ticksBetween(before: CpuSnapshot, after: CpuSnapshot): number {
  let own = 0;
  let waitedFor = 0;
  for (const [key, now] of after) {
    const then = before.get(key);
    own += now.cpuTicks - (then?.cpuTicks ?? 0);
    waitedFor += now.endedChildrenTicks - (then?.endedChildrenTicks ?? 0);
  }
  for (const [key, then] of before) {
    if (!after.has(key)) waitedFor -= then.cpuTicks + then.endedChildrenTicks;
  }
  return own + Math.max(0, waitedFor);
}

/** How many of the processes of `before` have ended. */
export function endedBetween(before: CpuSnapshot, after: CpuSnapshot): number {
  let ended = 0;
  for (const key of before.keys()) if (!after.has(key)) ended++;
  return ended;
}
