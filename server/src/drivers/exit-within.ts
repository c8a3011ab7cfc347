import { setTimeout as delay } from "node:timers/promises";

/** Resolves once the sandbox has ended, or after `ms`. `exited` never rejects. */
export async function exitWithin(exited: Promise<unknown>, ms: number): Promise<void> {
  const enough = new AbortController();
  const timer = delay(ms, undefined, { signal: enough.signal }).catch(() => {}); // ended early: the sandbox did
  await Promise.race([exited, timer]);
  enough.abort();
}
