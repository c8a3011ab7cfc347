import type { Clock } from "../domain/clock.ts";
import type { InvocationRecord } from "../domain/invocation.ts";
import { type DestroyReason, KILL_CONFIRM_MS } from "../drivers/driver.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import type { CallUse } from "./call-meter.ts";

const TOLD_MS_MAX = KILL_CONFIRM_MS + 1000;

/** What the end of a sandbox says of the call with which it ended. */
export interface KillTold extends Pick<InvocationRecord, "killMs" | "cpuMs" | "memoryPeakBytes"> {
  /** False: it ended by itself. */
  wasKilled: boolean;
}
const unknown = { killMs: null, cpuMs: null, memoryPeakBytes: null };
/** Of a call whose sandbox lives on. */
export const nothingTold: KillTold = { ...unknown, wasKilled: false };

/**
 * Resolves once nothing of a sandbox that is being killed is left: with the ms until then, and what it had used. Resolves with nothing when that was not seen within `TOLD_MS_MAX`.
 */
export function killTold(
  clock: Clock,
  { sandbox, uses, cpuMicrosBefore }: CallUse,
  reason: DestroyReason,
): Promise<KillTold> {
  const { promise, resolve } = Promise.withResolvers<KillTold>();
  const killedAt = clock.now();
  const wasKilled = reason !== "crash";
  const stopWaiting = clock.after(TOLD_MS_MAX, () => resolve({ ...unknown, wasKilled }));
  void sandbox.destroy(reason).then(() => {
    stopWaiting();
    const killMs = wasKilled ? clock.now() - killedAt : null;
    const wasAlone = sandbox.uses === uses;
    resolve({ wasKilled, killMs, ...usedBy(sandbox, wasAlone ? cpuMicrosBefore : null) });
  });
  return promise;
}

function usedBy(sandbox: PooledSandbox, cpuMicrosBefore: number | null) {
  const { finalUsage } = sandbox;
  const memoryPeakBytes = finalUsage?.memoryPeakBytes ?? null;
  const cpuMicros = finalUsage?.cpuMicros ?? null;
  if (cpuMicros === null || cpuMicrosBefore === null) return { cpuMs: null, memoryPeakBytes };
  return { cpuMs: Math.max(0, cpuMicros - cpuMicrosBefore) / 1000, memoryPeakBytes };
}
