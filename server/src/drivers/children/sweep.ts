import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KILL_CONFIRM_MS } from "../driver.ts";
import { killPid } from "../cgroups/cgroup-files.ts";
import type { CgroupTree } from "../cgroups/cgroup.ts";
import { endGroup } from "../cgroups/end-group.ts";
import { removeTree } from "./private-folder.ts";
import { findMarked } from "../cgroups/process-table.ts";
import type { SandboxMarks } from "../cgroups/sandbox-mark.ts";

const STEP_MS = 10;

export interface SweepOptions {
  tree: CgroupTree | null;
  marks: SandboxMarks;
  foldersDir: string;
}

/** Kills and removes sandboxes of earlier lives of this node: cgroups first, then processes that have none, then folders. */
export async function sweepEarlierLives(options: SweepOptions): Promise<string[]> {
  const { tree, marks, foldersDir } = options;
  const isEarlier = (text: string) => marks.lifeOf(text) === "earlier";
  const removed: string[] = [];
  for (const { name, cgroup } of (await tree?.leftovers(isEarlier)) ?? []) {
    if (!(await endGroup(cgroup))) continue;
    cgroup.remove();
    removed.push(`cgroup ${name}`);
  }
  for (const { pid, mark } of await endProcesses(isEarlier))
    removed.push(`process ${pid} of ${mark}`);
  for (const name of await readdir(foldersDir).catch(() => [])) {
    // There is no such folder before the first sandbox without isolation.
    if (!isEarlier(name)) continue;
    await removeTree(join(foldersDir, name));
    removed.push(`folder ${name}`);
  }
  return removed;
}

async function endProcesses(isEarlier: (text: string) => boolean) {
  const found = await findMarked(isEarlier);
  for (const { pid } of found) killPid(pid);
  for (let waitedMs = 0; waitedMs < KILL_CONFIRM_MS; waitedMs += STEP_MS) {
    const left = await findMarked(isEarlier);
    if (left.length === 0) break;
    for (const { pid } of left) killPid(pid);
    await delay(STEP_MS);
  }
  return found;
}
