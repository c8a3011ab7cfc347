import { BlankPool, type BlankPoolOptions } from "./blank-pool.ts";
import type { Equipment, SandboxSocket } from "../drivers/driver.ts";
import type { PoolNews } from "./pool-news.ts";

/** What a pool may have apart from all others. */
export interface OpenPoolOptions {
  /** Of a build. */
  equipment?: Equipment;
  /** Blank sandboxes of its own (`Pools.openBlanks`), or none: null. Left out: those that all share. */
  blanks?: BlankPool | null;
  /** Its sandboxes are debugged: they are never frozen, and none is a blank one. */
  debug?: DebugEquipment;
  /** Instead of the news of all functions. */
  news?: PoolNews;
}

export interface DebugEquipment {
  /** The way out of the debugger. */
  socket: SandboxSocket;
  isAwaited: boolean;
  /** What the function is told as its limit; the pool's own counts the debugger, too. */
  memoryMiB: number;
}

/** Longer than anybody has blank sandboxes of his own. */
const QUIET_MS = 86_400_000;

/** One blank sandbox, kept ready until the pool is closed, whatever the demand. */
export function openOwnBlanks(
  given: Omit<BlankPoolOptions, "base" | "most" | "quietMs" | "isExpected">,
): BlankPool {
  const kept = { base: 1, most: 1, quietMs: QUIET_MS, isExpected: true };
  const blanks = new BlankPool({ ...given, ...kept });
  blanks.refill();
  return blanks;
}
