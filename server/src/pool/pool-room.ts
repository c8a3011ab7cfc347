import type { PooledSandbox } from "./pooled-sandbox.ts";
import type { RevisionPool } from "./revision-pool.ts";

/** What a revision's pool may ask of the whole. */
export interface PoolRoom {
  /** A blank sandbox of this function's size with its memory reserved, or null. */
  takeBlank(pool: RevisionPool): PooledSandbox | null;
  /** Reserves memory, evicting idle sandboxes of others where that helps; false when it is not there (yet). The pool is pumped when some has become free. */
  reserve(mib: number, pool: RevisionPool): boolean;
  /** Reserves memory that nobody else has; evicts nobody. */
  reserveFree(mib: number, pool: RevisionPool): boolean;
  /** Nobody waits for memory. */
  isMemoryAtRest(): boolean;
  /** Nobody waits for memory or slots, and there are both for one sandbox of this pool. */
  hasRoomAhead(pool: RevisionPool): boolean;
  /** Whether one of the machine's slots for starts is free. The pool is pumped when one has become free. */
  hasStartSlot(): boolean;
  /** The memory is reserved and the start begins. */
  takeStartSlot(pool: RevisionPool): void;
  freeStartSlot(pool: RevisionPool): void;
  /** A sandbox has become idle, or one more is ready: some may be evicted now. */
  onEvictable(pool: RevisionPool): void;
  /** Whether a sandbox that has become free has to go, although callers of this pool wait, for the sake of a project that has less. Then it is counted as going. */
  mustYield(pool: RevisionPool): boolean;
  /** A sandbox that had to go is gone. */
  onYielded(pool: RevisionPool): void;
  /** A caller of this pool waits. */
  onQueued(pool: RevisionPool): void;
  /** No caller of this pool waits any more. */
  onQueueEmpty(pool: RevisionPool): void;
  readonly memoryMiBMax: number;
}
