/** How long nothing has been under way when it counts as rest. */
const REST_MS = 2000;
/** Fewer calls leave little behind. */
const CALLS_LEAST = 1000;
/** A larger heap would block for too long the call that comes meanwhile. */
const HEAP_BYTES_MAX = 64 * 1_048_576;
/** A timer that is this late was held up: the sandbox was frozen, and wakes because there is a call. */
const LATE_MS = 100;

const monotonicMs = performance.now.bind(performance);

/** Gives back what a burst of calls has left in memory, once it is over. Awake -> watching -> awake. */
export class Rest {
  #activity;
  #nowMs;
  #collect;
  #collectedAt = 0;
  #watchedAt = 0;
  #dueMs = 0;
  /** @type {NodeJS.Timeout | null} */
  #timer = null;
  #onTimer = () => this.#look();

  /**
   * @param {{callCount: () => number, isIdle: () => boolean}} activity calls so far, and whether none is under way
   * @param {() => number} [nowMs] @param {() => unknown} [collect]
   */
  constructor(activity, nowMs = monotonicMs, collect = collectSmallHeap) {
    this.#activity = activity;
    this.#nowMs = nowMs;
    this.#collect = collect;
  }

  /** The last call under way has ended. */
  begin() {
    if (this.#timer !== null) return;
    const calls = this.#activity.callCount();
    if (calls - this.#collectedAt < CALLS_LEAST) return;
    this.#watchedAt = calls;
    this.#dueMs = this.#nowMs() + REST_MS;
    this.#timer = setTimeout(this.#onTimer, REST_MS);
    this.#timer.unref();
  }

  #look() {
    this.#timer = null;
    // The end of what is under way begins anew.
    if (!this.#activity.isIdle()) return;
    const isLate = this.#nowMs() - this.#dueMs > LATE_MS;
    if (isLate || this.#activity.callCount() !== this.#watchedAt) return this.begin();
    this.#collectedAt = this.#watchedAt;
    this.#collect();
  }
}

/** What it takes is loaded when it is needed: a cold start waits for every module. */
async function collectSmallHeap() {
  if (process.memoryUsage().heapUsed > HEAP_BYTES_MAX) return;
  const { collectGarbage } = await import("./collect.mjs");
  collectGarbage();
}
