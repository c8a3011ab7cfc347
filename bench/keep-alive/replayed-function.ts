import type { EvictionCandidate } from "../../server/src/pool/keep-alive/eviction-order.ts";
import { tieBreak, worthOf } from "../../server/src/pool/keep-alive/worth.ts";
import type { KeepPolicy } from "./policies.ts";
import type { TracedFunction } from "./trace.ts";

export interface IdleSandbox {
  since: number;
  until: number;
  /** Clock of the eviction order when it was used last. */
  mark: number;
  uses: number;
}

/** A function of a trace as it is lived through. */
export class ReplayedFunction implements EvictionCandidate {
  readonly traced: TracedFunction;
  readonly policy: KeepPolicy;
  readonly #isGreedyDual: boolean;
  /** Used last, last. */
  idle: IdleSandbox[] = [];
  busy = 0;
  /** Uses of each busy sandbox; which of them ends is all the same here. */
  busyUses: number[] = [];
  calls = 0;
  cold = 0;
  isReviewed = false;
  orderedAt = -1;
  /** NaN: no start is planned. */
  prewarmAt = Number.NaN;
  prewarmKeepMs = 0;

  constructor(traced: TracedFunction, policy: KeepPolicy, isGreedyDual: boolean) {
    this.traced = traced;
    this.policy = policy;
    this.#isGreedyDual = isGreedyDual;
  }

  evictionPriority(): number | null {
    const first = this.idle[0];
    if (first === undefined) return null;
    if (!this.#isGreedyDual) return first.mark;
    const { initMs, memoryMiB } = this.traced;
    return first.mark + worthOf(first.uses, initMs, memoryMiB) + tieBreak(first.since);
  }
}
