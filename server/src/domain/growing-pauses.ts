/** How long to wait before what failed is tried again: each pause is twice the one before, from `leastMs` up to `mostMs`. Whoever waits keeps the time. */
export class GrowingPauses {
  readonly #leastMs: number;
  readonly #mostMs: number;
  #nextMs: number;

  /** `leastMs` is above 0 and at most `mostMs`. */
  constructor({ leastMs, mostMs }: { leastMs: number; mostMs: number }) {
    this.#leastMs = leastMs;
    this.#mostMs = mostMs;
    this.#nextMs = leastMs;
  }

  /** The pause after one more failure. */
  next(): number {
    const pauseMs = this.#nextMs;
    this.#nextMs = Math.min(this.#mostMs, 2 * pauseMs);
    return pauseMs;
  }

  /** What failed has worked: a later failure is a first one. */
  reset(): void {
    this.#nextMs = this.#leastMs;
  }
}
