import { setTimeout as delay } from "node:timers/promises";
import { KILL_CONFIRM_MS } from "../driver.ts";
import type { Cgroup } from "./cgroup.ts";

const STEP_MS = 10;

/** Kills what is in the group until nothing is; false where something still is after `KILL_CONFIRM_MS`. */
export async function endGroup(cgroup: Cgroup): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < KILL_CONFIRM_MS; waitedMs += STEP_MS) {
    cgroup.killAll(waitedMs > 0);
    if (cgroup.isEmpty()) return true;
    await delay(STEP_MS);
  }
  return false;
}
