import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../errors.ts";
import { exitWithin } from "../exit-within.ts";
import type { SandboxGroup } from "./sandbox-group.ts";

const CONFIRM_STEP_MS_MAX = 50;

export interface Killed {
  id: string;
  group: SandboxGroup;
  /** The first process of the group, of which the driver is the parent. `exited` never rejects. */
  exited: Promise<unknown>;
  hasExited(): boolean;
  kill(): void;
  onProblem(problem: string): void;
}

/** Kills the whole group again and again, until it is seen to be empty and its first process reaped (true) or `deadline`, in ms of `performance.now()`, has passed (false). A kill that fails is told and tried again. */
export async function killUntilGone(killed: Killed, deadline: number): Promise<boolean> {
  const { group } = killed;
  for (let pass = 0; ; pass += 1) {
    try {
      await group.kill(pass > 0);
      if (!killed.hasExited()) killed.kill();
      if (killed.hasExited() && (await group.isEmpty())) return true;
    } catch (error) {
      killed.onProblem(`${killed.id}: kill ${pass}: ${messageOf(error)}`);
    }
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    const stepMs = Math.min(2 ** Math.min(pass, 10), CONFIRM_STEP_MS_MAX, leftMs);
    await (killed.hasExited() ? delay(stepMs) : exitWithin(killed.exited, stepMs));
  }
}
