/** Needs within this time of each other come too close for a refill between them. */
const PEAK_WINDOW_MS = 3000;
/** After this long a peak counts half. In bench/keep-alive a longer memory keeps more and meets hardly more needs. */
const HALF_LIFE_MS = 60_000;

export interface BlankDemandOptions {
  /** Kept as long as there is any demand. */
  base: number;
  /** Beyond the base. */
  most: number;
  /** Without a need for this long none is kept. */
  quietMs: number;
  nowMs: number;
  /** Whether any are kept before the first need. */
  isExpected: boolean;
}

/**
 * How many blank sandboxes to keep: as many as were needed within three seconds of each other, at most and lately, so that the next such peak finds them ready. What
 * was needed once is forgotten by halves; after a long quiet nothing is kept until the next need. Times are monotonic ms.
 */
export class BlankDemand {
  readonly #options: BlankDemandOptions;
  #needs: number[] = [];
  #peak = 0;
  #peakAt = 0;
  #neededAt: number;

  constructor(options: BlankDemandOptions) {
    this.#options = options;
    this.#neededAt = options.isExpected ? options.nowMs : Number.NEGATIVE_INFINITY;
  }

  note(nowMs: number): void {
    this.#neededAt = nowMs;
    this.#needs.push(nowMs);
    const since = nowMs - PEAK_WINDOW_MS;
    while ((this.#needs[0] as number) <= since) this.#needs.shift();
    if (this.#needs.length > this.#options.most) this.#needs.shift();
    if (this.#needs.length < this.#faded(nowMs)) return;
    this.#peak = this.#needs.length;
    this.#peakAt = nowMs;
  }

  target(nowMs: number): number {
    const { base, quietMs } = this.#options;
    if (base === 0 || nowMs - this.#neededAt >= quietMs) return 0;
    return Math.max(base, Math.round(this.#faded(nowMs)));
  }

  /** How long the target of now holds at most; null: until the next need. */
  holdsForMs(nowMs: number): number | null {
    const { base, quietMs } = this.#options;
    const target = this.target(nowMs);
    if (target === 0) return null;
    const quietInMs = this.#neededAt + quietMs - nowMs;
    if (target <= base) return quietInMs;
    const halvings = Math.log2(this.#peak / (target - 0.5));
    const fadesInMs = this.#peakAt + halvings * HALF_LIFE_MS - nowMs;
    return Math.max(1, Math.min(quietInMs, fadesInMs + 1));
  }

  #faded(nowMs: number): number {
    return this.#peak * 0.5 ** ((nowMs - this.#peakAt) / HALF_LIFE_MS);
  }
}
