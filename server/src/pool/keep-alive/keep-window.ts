import { MINUTES_MAX } from "./reuse-times.ts";

/** What becomes of a sandbox that nobody calls. */
export interface KeepWindow {
  /** It is kept idle for this long. */
  keepMs: number;
  /** This long after the last call one is started again; null: none is. */
  prewarmMs: number | null;
  /** And that one is kept idle for this long. */
  prewarmKeepMs: number;
}

const MINUTE_MS = 60_000;
/** What 128 MiB kept idle for one minute may cost, in cold starts: kept are those for which a call comes within the next minute more likely than that. */
export const MINUTE_PRICE: number = 1 / 60;
const PRICED_MIB = 128;
/** What a start without a caller costs, in cold starts that callers wait for. */
const PREWARM_PRICE = 0.1;
/** None is started without a caller unless this share of the calls came in its stretch: less is no pattern. */
const PREWARM_SHARE_LEAST = 0.5;
/** A window is wider by this share of its ends than what was seen. */
const MARGIN = 0.1;
const KEEP_LEAST_MS = MINUTE_MS;
/** Until a sandbox is let go that will be started again: calls that follow each other closely are no pattern of minutes. */
const LINGER_MS = 10_000;
/** What is believed before anything was seen weighs as much as one idle time: calls come after any time up to this, each power of ten as likely as the other. */
const BELIEVED_MINUTES_MAX = 1000;

/**
 * The stretch of an idle time in which a sandbox is worth its memory. Each minute is worth the calls that came in it, less the price of the memory for all idle
 * times that lasted until then; the best stretch is the contiguous one of the highest sum (Kadane). It begins at once, or later, and then one is started ahead of
 * its begin. `bins` are those of `ReuseTimes`. O(240).
 */
export function keepWindow(
  bins: Uint16Array,
  memoryMiB: number,
  minutePrice: number = MINUTE_PRICE,
): KeepWindow {
  const price = minutePrice * (memoryMiB / PRICED_MIB);
  const atOnce = new Stretch();
  const later = new Stretch();
  let noted = 1;
  for (const hits of bins) noted += hits;
  let left = noted;
  for (let minute = 0; minute < MINUTES_MAX; minute += 1) {
    const hits = (bins[minute] as number) + believedHits(minute);
    const value = hits - price * (left - hits / 2);
    atOnce.add(minute, hits, value);
    later.addOrBegin(minute, hits, { value, price: PREWARM_PRICE * left });
    left -= hits;
  }
  const isPattern = later.from >= 2 && later.hits >= PREWARM_SHARE_LEAST * noted;
  if (later.best <= atOnce.best || !isPattern)
    return keptFor(Math.max(KEEP_LEAST_MS, Math.round(atOnce.to * MINUTE_MS * (1 + MARGIN))));
  const fromMs = Math.round(later.from * MINUTE_MS * (1 - MARGIN));
  const toMs = Math.round(later.to * MINUTE_MS * (1 + MARGIN));
  return { keepMs: LINGER_MS, prewarmMs: fromMs, prewarmKeepMs: toMs - fromMs };
}

export function keptFor(keepMs: number): KeepWindow {
  return { keepMs, prewarmMs: null, prewarmKeepMs: 0 };
}

function believedHits(minute: number): number {
  return Math.log((minute + 2) / (minute + 1)) / Math.log(1 + BELIEVED_MINUTES_MAX);
}

/** The best sum of values of consecutive minutes so far, `from` inclusive and `to` exclusive. */
class Stretch {
  best = 0;
  from = 0;
  to = 0;
  hits = 0;
  #sum = 0;
  #hitSum = 0;
  #begin = 0;

  add(minute: number, hits: number, value: number): void {
    this.#sum += value;
    this.#hitSum += hits;
    if (this.#sum <= this.best) return;
    this.best = this.#sum;
    this.hits = this.#hitSum;
    this.from = this.#begin;
    this.to = minute + 1;
  }

  /** Where what came before is worth less than to begin here, a new one begins, at its price. */
  addOrBegin(minute: number, hits: number, given: { value: number; price: number }): void {
    if (minute === 0 || this.#sum <= -given.price) {
      this.#sum = -given.price;
      this.#hitSum = 0;
      this.#begin = minute;
    }
    this.add(minute, hits, given.value);
  }
}
