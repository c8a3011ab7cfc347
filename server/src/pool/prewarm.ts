import type { Clock } from "../domain/clock.ts";

/** A start at a time, ahead of the next call; the last time that was said counts. */
export class Prewarm {
  readonly #clock: Clock;
  readonly #start: (keepMs: number) => void;
  #startsAt = 0;
  #keepMs = 0;
  /** A later start finds out when that comes. */
  #armedFor = 0;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, start: (keepMs: number) => void) {
    this.#clock = clock;
    this.#start = start;
  }

  /** `startsAt`: monotonic ms. `keepMs`: how long the sandbox then waits for the call. */
  at(startsAt: number, keepMs: number): void {
    this.#startsAt = startsAt;
    this.#keepMs = keepMs;
    if (this.#cancel !== null && startsAt >= this.#armedFor) return;
    this.#cancel?.();
    this.#arm();
  }

  close(): void {
    this.#cancel?.();
  }

  #arm(): void {
    const clock = this.#clock;
    this.#armedFor = this.#startsAt;
    this.#cancel = clock.after(Math.max(1, this.#startsAt - clock.now()), () => {
      this.#cancel = null;
      if (this.#startsAt > clock.now()) this.#arm();
      else this.#start(this.#keepMs);
    });
  }
}
