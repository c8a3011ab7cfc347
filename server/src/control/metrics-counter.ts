import type { Clock } from "../domain/clock.ts";
import { messageOf } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "./ports.ts";

export interface MetricsCounterOptions {
  store: Pick<Store, "countInvocations">;
  clock: Clock;
  log: Log;
}

/** So much is counted together: of a busy function the same rows are written once instead of with each batch. */
const COUNT_EVERY_MS = 10_000;

/** Adds what was recorded to the metrics every ten seconds. Life: `idle -> waiting <-> counting -> closed`. */
export class MetricsCounter {
  readonly #options: MetricsCounterOptions;
  #isClosed = false;
  #cancel: () => void = () => {};
  #counting: Promise<void> = Promise.resolve();

  constructor(options: MetricsCounterOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.after(COUNT_EVERY_MS, () => {
      this.#counting = this.#count().then(() => this.start());
    });
  }

  /** Resolves when the count under way has ended; what is left is counted after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#counting;
  }

  async #count(): Promise<void> {
    const { store, log } = this.#options;
    try {
      await store.countInvocations();
    } catch (error) {
      // It stays in the list of what is to be counted.
      log.warn({ reason: messageOf(error) }, "metrics could not be counted");
    }
  }
}
