import type { Clock } from "../domain/clock.ts";
import { type DestroyReason, KILL_CONFIRM_MS } from "../drivers/driver.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";

const TOLD_MS_MAX = KILL_CONFIRM_MS + 1000;

/** Resolves with the ms until nothing of a sandbox that is being killed was left, or with null when that was not seen within `TOLD_MS_MAX`. */
export function killTold(
  clock: Clock,
  sandbox: PooledSandbox,
  reason: DestroyReason,
): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const killedAt = clock.now();
  const stopWaiting = clock.after(TOLD_MS_MAX, () => resolve(null));
  void sandbox.destroy(reason).then(() => {
    stopWaiting();
    resolve(clock.now() - killedAt);
  });
  return promise;
}
