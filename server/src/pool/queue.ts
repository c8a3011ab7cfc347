import type { StartKind } from "../domain/invocation.ts";
import type { IsolaError } from "../errors.ts";
import type { PooledSandbox } from "./pooled-sandbox.ts";
import type { StartAttempt } from "./start-attempt.ts";

/** What a caller learns about how it got its sandbox, in ms. */
export interface LeasePhases {
  queueMs: number;
  startMs: number | null;
  initMs: number | null;
}

/** Someone who needs a sandbox. Exactly one of the two is called, once, unless the entry is withdrawn before. */
export interface Waiter {
  /** The sandbox counts one more invocation until `release` or `abandon` of its pool. */
  onLease(sandbox: PooledSandbox, kind: StartKind, phases: LeasePhases): void;
  onRefused(error: IsolaError): void;
}

/** A place in a pool's queue; it moves to the next revision's queue when a deploy replaces the pool. */
export class QueueEntry {
  readonly waiter: Waiter;
  /** Monotonic ms. */
  readonly queuedAt: number;
  /** The start that is under way for it: then the start's deadline counts, and not the queue's. */
  attempt: StartAttempt | null = null;
  isOverdue = false;
  queue: Queue | null = null;
  cancelTimer: () => void = () => {};

  constructor(waiter: Waiter, queuedAt: number) {
    this.waiter = waiter;
    this.queuedAt = queuedAt;
  }

  /** The caller has gone: neither of the waiter's methods is called. */
  withdraw(): void {
    this.queue?.remove(this);
  }
}

/** Entries in the order of their arrival. */
export class Queue {
  readonly #entries = new Set<QueueEntry>();
  readonly #onEmpty: () => void;
  #uncovered = 0;

  /** `onEmpty` runs when the last entry has gone, whatever became of it. */
  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  get length(): number {
    return this.#entries.size;
  }

  /** Entries that no start is under way for. */
  get uncovered(): number {
    return this.#uncovered;
  }

  add(entry: QueueEntry): void {
    entry.queue = this;
    this.#entries.add(entry);
    this.#uncovered += 1;
  }

  remove(entry: QueueEntry): void {
    if (!this.#entries.delete(entry)) return;
    this.uncover(entry);
    this.#uncovered -= 1;
    entry.cancelTimer();
    entry.queue = null;
    if (this.#entries.size === 0) this.#onEmpty();
  }

  /** Takes the oldest out; null when empty. Its `attempt` is left for the caller to read. */
  shift(): { entry: QueueEntry; attempt: StartAttempt | null } | null {
    for (const entry of this.#entries) {
      const attempt = entry.attempt;
      this.remove(entry);
      return { entry, attempt };
    }
    return null;
  }

  /** Gives the oldest uncovered entries, at most `count`, to a start. */
  cover(attempt: StartAttempt, count: number): void {
    let left = Math.min(count, this.#uncovered);
    if (left === 0) return;
    for (const entry of this.#entries) {
      if (left === 0) return;
      if (entry.attempt !== null) continue;
      attempt.cover(entry);
      this.#uncovered -= 1;
      left -= 1;
    }
  }

  uncover(entry: QueueEntry): void {
    if (entry.attempt === null) return;
    entry.attempt.entries.delete(entry);
    entry.attempt = null;
    this.#uncovered += 1;
  }

  entries(): QueueEntry[] {
    return [...this.#entries];
  }
}
