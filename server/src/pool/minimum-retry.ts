import type { Clock } from "../domain/clock.ts";

/** A sandbox that ends by itself sooner than this after it was ready is not replaced at once. */
const STABLE_MS = 10_000;
const RETRY_FIRST_MS = 1000;
const RETRY_LAST_MS = 60_000;

/** When what `minSandboxes` lacks is tried again, after it failed: later and later. `open -> closed`. */
export class MinimumRetry {
  readonly #clock: Clock;
  readonly #run: () => void;
  /** Sandboxes that failed one after the other. */
  #failures = 0;
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
    else this.#failures = 0;
  }

  later(): void {
    if (this.#isClosed || this.#cancel !== null) return;
    const delayMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#cancel = null;
      this.#run();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }
}
