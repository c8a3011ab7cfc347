/** Bounds how many builds run at once; the others wait in the order in which they came. */
export class BuildSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnceMax: number) {
    this.#free = atOnceMax;
  }

  /** Runs the task when there is room. Rejects with the reason of the signal where that comes first. */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#take(signal);
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(given), 1);
        reject(signal.reason as Error);
      };
      const given = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      this.#waiting.push(given);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
