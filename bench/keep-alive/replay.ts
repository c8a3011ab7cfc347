import { EvictionOrder } from "../../server/src/pool/keep-alive/eviction-order.ts";
import { AHEAD_USES } from "../../server/src/pool/keep-alive/worth.ts";
import { EventHeap } from "./event-heap.ts";
import type { KeepPolicy } from "./policies.ts";
import { type IdleSandbox, ReplayedFunction } from "./replayed-function.ts";
import type { TracedFunction } from "./trace.ts";

export interface ReplayOptions {
  hours: number;
  policy(fn: TracedFunction): KeepPolicy;
  /** Which idle sandbox goes first when memory is short. */
  eviction: "greedy-dual" | "least-recently-used";
  /** Infinity: never short. */
  memoryMiBMax: number;
}

export interface ReplayResult {
  calls: number;
  cold: number;
  /** When; ms. */
  coldAt: number[];
  /** Starts without a caller. */
  prewarms: number;
  evictions: number;
  /** Calls that found all memory taken by others that ran. */
  refused: number;
  /** Time that callers waited for starts. */
  coldHours: number;
  idleGiBHours: number;
  memoryMiBPeak: number;
  /** Share of its calls that were cold, of each function that was called, ascending. */
  coldShares: number[];
}

const KINDS = 4;
const ARRIVAL = 0;
const END = 1;
const REVIEW = 2;
const PREWARM = 3;
const MIB_MS_PER_GIB_HOUR = 1024 * 3_600_000;

/** Lives through a trace in simulated time, with the gateway's own policies. A sandbox takes one call at a time, the one used last first, as in the gateway. */
export function replay(trace: readonly TracedFunction[], options: ReplayOptions): ReplayResult {
  return new Replay(trace, options).run();
}

class Replay {
  readonly #functions: ReplayedFunction[];
  readonly #events = new EventHeap();
  readonly #order = new EvictionOrder<ReplayedFunction>();
  readonly #options: ReplayOptions;
  #now = 0;
  #usedMiB = 0;
  #peakMiB = 0;
  #idleMiBMs = 0;
  #coldMs = 0;
  readonly #coldAt: number[] = [];
  #evictions = 0;
  #prewarms = 0;
  #refused = 0;

  constructor(trace: readonly TracedFunction[], options: ReplayOptions) {
    this.#options = options;
    const isGreedyDual = options.eviction === "greedy-dual";
    this.#functions = trace.map((fn) => new ReplayedFunction(fn, options.policy(fn), isGreedyDual));
  }

  run(): ReplayResult {
    const untilMs = this.#options.hours * 3_600_000;
    for (const index of this.#functions.keys()) this.#planArrival(index);
    while (this.#events.nextAt <= untilMs) {
      this.#now = this.#events.nextAt;
      const code = this.#events.pop();
      this.#happens(Math.floor(code / KINDS), code % KINDS);
    }
    this.#now = untilMs;
    for (const fn of this.#functions) for (const { since } of fn.idle) this.#counted(fn, since);
    return this.#result();
  }

  #happens(index: number, kind: number): void {
    const fn = this.#functions[index] as ReplayedFunction;
    if (kind === ARRIVAL) this.#arrives(fn, index);
    else if (kind === END) this.#ends(fn, index);
    else if (kind === REVIEW) this.#review(fn, index);
    else if (fn.prewarmAt === this.#now) this.#prewarm(fn, index);
  }

  #arrives(fn: ReplayedFunction, index: number): void {
    const runMs = fn.traced.runs[fn.calls] as number;
    fn.calls += 1;
    this.#planArrival(index);
    fn.prewarmAt = Number.NaN;
    const warm = fn.idle.pop();
    const { memoryMiB, initMs } = fn.traced;
    if (warm !== undefined) this.#counted(fn, warm.since);
    else {
      fn.cold += 1;
      if (!this.#reserve(memoryMiB)) {
        this.#refused += 1;
        return;
      }
      this.#coldMs += initMs;
      this.#coldAt.push(this.#now);
    }
    fn.busy += 1;
    fn.busyUses.push((warm?.uses ?? 0) + 1);
    fn.policy.rises(fn.busy, this.#now);
    this.#events.push(this.#now + runMs + (warm === undefined ? initMs : 0), index * KINDS + END);
  }

  #ends(fn: ReplayedFunction, index: number): void {
    fn.policy.falls(fn.busy, this.#now);
    fn.busy -= 1;
    const { keepMs, prewarmMs, prewarmKeepMs } = fn.policy.window();
    this.#rest(fn, index, { keepMs, uses: fn.busyUses.pop() as number });
    if (prewarmMs === null || fn.busy > 0) return;
    fn.prewarmAt = this.#now + prewarmMs;
    fn.prewarmKeepMs = prewarmKeepMs;
    this.#events.push(fn.prewarmAt, index * KINDS + PREWARM);
  }

  #prewarm(fn: ReplayedFunction, index: number): void {
    if (fn.busy > 0 || fn.idle.length > 0) return;
    const { memoryMiB } = fn.traced;
    if (this.#usedMiB + memoryMiB > this.#options.memoryMiBMax) return;
    this.#reserve(memoryMiB);
    this.#prewarms += 1;
    this.#rest(fn, index, { keepMs: fn.prewarmKeepMs, uses: AHEAD_USES });
  }

  #rest(fn: ReplayedFunction, index: number, given: { keepMs: number; uses: number }): void {
    const { keepMs, uses } = given;
    const isGreedyDual = this.#options.eviction === "greedy-dual";
    const mark = isGreedyDual ? this.#order.clock : this.#now;
    fn.idle.push({ since: this.#now, until: this.#now + keepMs, mark, uses });
    this.#order.offer(fn);
    if (fn.isReviewed) return;
    fn.isReviewed = true;
    this.#events.push(this.#now + keepMs, index * KINDS + REVIEW);
  }

  #review(fn: ReplayedFunction, index: number): void {
    let next = Number.POSITIVE_INFINITY;
    const kept: IdleSandbox[] = [];
    for (const sandbox of fn.idle) {
      if (sandbox.until <= this.#now) this.#gone(fn, sandbox);
      else {
        kept.push(sandbox);
        next = Math.min(next, sandbox.until);
      }
    }
    fn.idle = kept;
    fn.isReviewed = kept.length > 0;
    if (fn.isReviewed) this.#events.push(next, index * KINDS + REVIEW);
  }

  /** False, and nothing taken, where even evicting all that is idle would not do. */
  #reserve(mib: number): boolean {
    const { memoryMiBMax } = this.#options;
    while (this.#usedMiB + mib > memoryMiBMax) {
      const fn = this.#order.first();
      if (fn === null) return false;
      this.#order.passed(fn.evictionPriority() as number);
      this.#gone(fn, fn.idle.shift() as IdleSandbox);
      this.#evictions += 1;
    }
    this.#usedMiB += mib;
    this.#peakMiB = Math.max(this.#peakMiB, this.#usedMiB);
    return true;
  }

  #gone(fn: ReplayedFunction, { since }: IdleSandbox): void {
    this.#counted(fn, since);
    this.#usedMiB -= fn.traced.memoryMiB;
  }

  #counted(fn: ReplayedFunction, since: number): void {
    this.#idleMiBMs += (this.#now - since) * fn.traced.memoryMiB;
  }

  #planArrival(index: number): void {
    const { traced, calls } = this.#functions[index] as ReplayedFunction;
    const at = traced.arrivals[calls];
    if (at !== undefined) this.#events.push(at, index * KINDS + ARRIVAL);
  }

  #result(): ReplayResult {
    const called = this.#functions.filter(({ calls }) => calls > 0);
    return {
      calls: sum(called.map(({ calls }) => calls)),
      cold: sum(called.map(({ cold }) => cold)),
      coldAt: this.#coldAt,
      prewarms: this.#prewarms,
      evictions: this.#evictions,
      refused: this.#refused,
      coldHours: this.#coldMs / 3_600_000,
      idleGiBHours: this.#idleMiBMs / MIB_MS_PER_GIB_HOUR,
      memoryMiBPeak: this.#peakMiB,
      coldShares: called.map(({ calls, cold }) => cold / calls).sort((a, b) => a - b),
    };
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}
