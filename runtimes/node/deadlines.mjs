/**
 * Aborts the signals of invocations at their deadlines. One timer for all, set to the earliest: deadlines mostly come in order, so that a
 * new invocation rarely touches the timer. Only invocations whose signal is in use are watched.
 */
export class Deadlines {
  /** @type {Set<import("./invocation.mjs").Invocation>} */
  #watched = new Set();
  /** @type {NodeJS.Timeout | null} */
  #timer = null;
  #firesAtMs = Infinity;
  #onTimer = () => this.#fire();

  /** @param {import("./invocation.mjs").Invocation} invocation */
  watch(invocation) {
    this.#watched.add(invocation);
    if (invocation.endsAtMs < this.#firesAtMs) this.#arm(invocation.endsAtMs);
  }

  /** @param {import("./invocation.mjs").Invocation} invocation */
  unwatch(invocation) {
    this.#watched.delete(invocation);
  }

  /** @param {number} atMs on the clock of `performance.now` */
  #arm(atMs) {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#firesAtMs = atMs;
    this.#timer = setTimeout(this.#onTimer, Math.max(0, atMs - performance.now()));
    this.#timer.unref();
  }

  #fire() {
    this.#timer = null;
    this.#firesAtMs = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const invocation of this.#watched) {
      if (invocation.endsAtMs > now) {
        next = Math.min(next, invocation.endsAtMs);
        continue;
      }
      this.#watched.delete(invocation);
      invocation.abort?.abort(timeoutError());
    }
    if (next !== Infinity) this.#arm(next);
  }
}

function timeoutError() {
  return new DOMException("the invocation has reached its deadline", "TimeoutError");
}
