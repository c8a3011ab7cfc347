import type { Clock } from "../domain/clock.ts";
import { GrowingPauses } from "../domain/growing-pauses.ts";

/** A sandbox that ends by itself sooner than this after it was ready is not replaced at once. */
const STABLE_MS = 10_000;
const RETRY_PAUSES = { leastMs: 1000, mostMs: 60_000 };

/** When what `minSandboxes` lacks is tried again, after it failed: later and later. `open -> closed`. */
export class MinimumRetry {
  readonly #clock: Clock;
  readonly #run: () => void;
  readonly #pauses = new GrowingPauses(RETRY_PAUSES);
  #cancel: (() => void) | null = null;
  #isClosed = false;

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  get isWaiting(): boolean {
    return this.#cancel !== null;
  }

  /** A sandbox that was ready has ended by itself. */
  ended(readyAt: number): void {
    if (this.#clock.now() - readyAt < STABLE_MS) this.later();
    else this.#pauses.reset();
  }

  later(): void {
    if (this.#isClosed || this.#cancel !== null) return;
    this.#cancel = this.#clock.after(this.#pauses.next(), () => {
      this.#cancel = null;
      this.#run();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }
}
