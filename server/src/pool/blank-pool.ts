import { reservedMiBOf } from "../domain/function.ts";
import type { Clock } from "../domain/clock.ts";
import { GrowingPauses } from "../domain/growing-pauses.ts";
import { settingLimits } from "../domain/limits.ts";
import type { Driver, RuntimeSpec } from "../drivers/driver.ts";
import { messageOf } from "../errors.ts";
import { BlankDemand } from "./blank-demand.ts";
import type { Evicted } from "./idle-sandboxes.ts";
import type { PooledSandbox, SandboxOwner } from "./pooled-sandbox.ts";
import type { Starter } from "./starter.ts";

export interface BlankPoolOptions {
  driver: Driver;
  runtime: RuntimeSpec;
  /** Kept ready while there is any demand; 0 turns the pool off. */
  base: number;
  /** At most, whatever the demand. */
  most: number;
  /** After this long without a need none is kept. */
  quietMs: number;
  /** Whether any are kept before the first need. */
  isExpected: boolean;
  clock: Clock;
  starter: Starter;
  /** Reserves memory without evicting anyone; false when there is none. */
  tryReserve(mib: number): boolean;
  /** One more waits. */
  onReady(): void;
  onProblem(message: string): void;
}

/** Blank sandboxes have the memory of the smallest function until they are claimed. */
export const BLANK_MEMORY_MIB = settingLimits.memoryMiB.default;
const STARTS_AT_ONCE_MAX = 2;
const RETRY_PAUSES = { leastMs: 100, mostMs: 10_000 };
const REFILL_DELAY_MS = 30;
const START_TIMEOUT_MS = 15_000;

/**
 * Blank sandboxes of one runtime, driver and size. `take` hands one out once, for ever; the pool refills at once, towards a target that follows the
 * demand and is 0 after a long quiet. A start that fails is tried again later and later.
 */
export class BlankPool implements SandboxOwner {
  readonly countsFor = null;
  readonly #options: BlankPoolOptions;
  #ready: PooledSandbox[] = [];
  #starting = 0;
  readonly #demand: BlankDemand;
  readonly #pauses = new GrowingPauses(RETRY_PAUSES);
  #cancelRetry: (() => void) | null = null;
  #cancelReview: (() => void) | null = null;
  #cancelRefill: (() => void) | null = null;
  #abort = new AbortController();

  constructor(options: BlankPoolOptions) {
    this.#options = options;
    const { base, most, quietMs, isExpected, clock } = options;
    this.#demand = new BlankDemand({ base, most, quietMs, isExpected, nowMs: clock.now() });
  }

  get status() {
    return {
      runtime: this.#options.runtime.name,
      driver: this.#options.driver.name,
      ready: this.#ready.length,
      starting: this.#starting,
      target: this.#target(),
    };
  }

  /** Starts what is missing, unless that is put off; also called when memory has become free. */
  refill(): void {
    if (this.#abort.signal.aborted || this.#cancelRetry !== null || this.#cancelRefill !== null)
      return;
    while (
      this.#starting < STARTS_AT_ONCE_MAX &&
      this.#ready.length + this.#starting < this.#target() &&
      this.#options.tryReserve(this.reservedMiB)
    )
      void this.#start();
  }

  /**
   * A blank sandbox, oldest first; null when there is none, or `mayTake`, asked only where there is one, says no. The caller becomes its owner and claims it in the
   * same turn.
   */
  take(mayTake: () => boolean): PooledSandbox | null {
    return this.#ready.length > 0 && mayTake() ? (this.#ready.shift() ?? null) : null;
  }

  /** A sandbox of this kind was needed, and its memory is reserved, whether a blank one was there or not: more are kept for a while. */
  noteNeed(): void {
    if (this.#options.base === 0) return;
    this.#demand.note(this.#options.clock.now());
    if (this.#ready.length === 0) this.refill();
    else this.#refillSoon();
    this.#review();
  }

  /** What one of them counts for in the memory budget. */
  get reservedMiB(): number {
    const driver = this.#options.driver.name;
    return reservedMiBOf({ driver, memoryMiB: BLANK_MEMORY_MIB });
  }

  /** Gives up one that waits, to make room; null when there is none. Its memory is free when the promise resolves. */
  surrender(): Evicted | null {
    const sandbox = this.#ready.shift();
    if (sandbox === undefined) return null;
    return { memoryMiB: sandbox.reservedMiB, gone: sandbox.destroy("evicted") };
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#cancelRetry?.();
    this.#cancelReview?.();
    this.#cancelRefill?.();
    await Promise.all([...this.#ready].map((sandbox) => sandbox.destroy("shutdown")));
  }

  onDead(sandbox: PooledSandbox): void {
    const at = this.#ready.indexOf(sandbox);
    if (at === -1) return;
    this.#ready.splice(at, 1);
    this.#retryLater();
  }

  onGone(): void {
    // The memory that became free goes to callers first; `Pools` refills afterwards.
  }

  #target(): number {
    return this.#demand.target(this.#options.clock.now());
  }

  async #start(): Promise<void> {
    this.#starting += 1;
    const { driver, runtime, starter, clock } = this.#options;
    const tooLong = new AbortController();
    const cancelTimer = clock.after(START_TIMEOUT_MS, () => tooLong.abort());
    const signal = AbortSignal.any([this.#abort.signal, tooLong.signal]);
    const tmpMiB = settingLimits.tmpMiB.default;
    try {
      const sandbox = await starter.start(
        { driver, runtime, memoryMiB: BLANK_MEMORY_MIB, tmpMiB, holder: null },
        signal,
      );
      this.#pauses.reset();
      if (this.#abort.signal.aborted) {
        await sandbox.destroy("shutdown");
        return;
      }
      sandbox.owner = this;
      // What its start took is not of the call that it will be for.
      void sandbox.readings.read();
      this.#ready.push(sandbox);
      this.#review();
      this.#options.onReady();
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#options.onProblem(`a blank ${runtime.name} sandbox did not start: ${messageOf(error)}`);
      this.#retryLater();
    } finally {
      cancelTimer();
      this.#starting -= 1;
      this.refill();
    }
  }

  #retryLater(): void {
    if (this.#cancelRetry !== null) return;
    this.#cancelRetry = this.#options.clock.after(this.#pauses.next(), () => {
      this.#cancelRetry = null;
      this.refill();
    });
  }

  /** While another waits, the one just taken is given the processor for its init first: a start costs the gateway milliseconds. */
  #refillSoon(): void {
    this.#cancelRefill ??= this.#options.clock.after(REFILL_DELAY_MS, () => {
      this.#cancelRefill = null;
      this.refill();
    });
  }

  /** Looks again when less is wanted, and lets go of what is too much. */
  #review(): void {
    this.#cancelReview?.();
    this.#cancelReview = null;
    const { clock } = this.#options;
    const delayMs = this.#demand.holdsForMs(clock.now());
    if (delayMs === null) return this.#letGo();
    this.#cancelReview = clock.after(delayMs, () => {
      this.#cancelReview = null;
      this.#letGo();
      if (this.#ready.length > 0) this.#review();
    });
  }

  #letGo(): void {
    for (const sandbox of this.#ready.splice(this.#target())) void sandbox.destroy("blank_surplus");
  }
}
