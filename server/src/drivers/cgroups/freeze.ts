import { setTimeout as delay } from "node:timers/promises";
import type { Cgroup } from "./cgroup.ts";

const FREEZE_MS_MAX = 1000;
const FREEZE_STEP_MS = 2;

/** The kernel stops one task after the other; those in the middle of a system call take a moment. */
export async function freezeGroup(cgroup: Cgroup): Promise<boolean> {
  if (!cgroup.freeze()) return false;
  for (let waitedMs = 0; waitedMs < FREEZE_MS_MAX; waitedMs += FREEZE_STEP_MS) {
    const state = cgroup.frozenState();
    if (state !== "freezing") return state === "frozen";
    await delay(FREEZE_STEP_MS);
  }
  cgroup.thaw();
  return false;
}
