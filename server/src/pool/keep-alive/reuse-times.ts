const MINUTE_MS = 60_000;
/** Idle times up to this are told apart, by the minute; longer ones are only counted. */
export const MINUTES_MAX = 240;
/** Sandboxes beyond this many at once share the last place. */
const LEVELS_MAX = 8;
const COUNT_MAX = 0xffff;

/**
 * How long the sandboxes of one function stood idle until they were needed again, as a histogram of minutes. It counts by levels of need: the moment at which the
 * function last needed n sandboxes at once, and the next at which it does. That does not depend on how long sandboxes were in fact kept, so that what is learned
 * holds for any policy. About 900 bytes; a call costs a few adds.
 */
export class ReuseTimes {
  /** By minute; the last place is for longer times. */
  readonly bins: Uint16Array = new Uint16Array(MINUTES_MAX + 1);
  /** Monotonic ms at which fewer than n + 1 sandboxes became enough; 0: never were they needed. */
  readonly #enoughSince: number[] = Array.from({ length: LEVELS_MAX }, () => 0);
  /** Idle times counted since the beginning; ageing does not lessen it. */
  noted = 0;

  /** From now on `level` sandboxes are busy, one more than before. */
  rises(level: number, nowMs: number): void {
    if (level > LEVELS_MAX) return;
    const since = this.#enoughSince[level - 1] as number;
    if (since === 0) return;
    this.#count(Math.min(MINUTES_MAX, Math.floor((nowMs - since) / MINUTE_MS)));
  }

  /** `level` sandboxes were busy, and from now on one less. */
  falls(level: number, nowMs: number): void {
    if (level <= LEVELS_MAX) this.#enoughSince[level - 1] = nowMs;
  }

  #count(minute: number): void {
    this.noted += 1;
    const count = (this.bins[minute] as number) + 1;
    this.bins[minute] = count;
    if (count === COUNT_MAX) this.#age();
  }

  /** What lies long back counts for less. */
  #age(): void {
    for (let minute = 0; minute <= MINUTES_MAX; minute += 1)
      this.bins[minute] = (this.bins[minute] as number) >> 1;
  }
}
