import type { Clock } from "../domain/clock.ts";
import { IsolaError, messageOf } from "../errors.ts";
import { failPoint } from "../fail-points.ts";
import type { LinkNotices } from "../link/messages.ts";
import type { Store, StoredRecords } from "../store/store.ts";
import type { Log } from "./ports.ts";
import { recognised } from "./recognised.ts";

export interface RecorderOptions {
  store: Pick<Store, "recordBatch">;
  clock: Clock;
  log: Log;
  /** What is in the store now and was not before, once for each batch. Must not throw. */
  onStored?(stored: StoredRecords, batch: LinkNotices["records"]): void;
}

const ATTEMPTS_MAX = 4;
const RETRY_LEAST_MS = 50;
const WAITING_MAX = 64;

/** Puts what the gateway reports into the store, in the order it came, lines with the level that they name. Life: `open -> closed`. */
export class Recorder {
  #options: RecorderOptions;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the batch is in the store. Rejects after four attempts, or where 64 batches already wait: the batch then stays with the gateway, which
   * sends it again.
   */
  async record(batch: LinkNotices["records"]): Promise<void> {
    if (this.#waiting >= WAITING_MAX || this.#isClosed)
      throw new IsolaError("not_ready", "records cannot be taken now");
    if (batch.lost > 0)
      this.#options.log.warn({ lost: batch.lost }, "the gateway had to drop records");
    this.#waiting += 1;
    const mine = this.#tail.then(() => this.#store(batch));
    this.#tail = mine.catch(() => {
      // The rejection reaches the caller; the next batch goes on.
    });
    try {
      await mine;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Resolves when the batches that were taken are stored or given back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#tail;
  }

  async #store(batch: LinkNotices["records"]): Promise<void> {
    const { store, onStored } = this.#options;
    const known = { ...batch, logs: batch.logs.map(recognised) };
    for (let attempt = 1; ; attempt++) {
      try {
        const stored = await store.recordBatch(known);
        if (stored.isNew) onStored?.(stored, known);
        // Not of what the platform tells of itself: a test means calls.
        if (batch.invocations !== null || batch.logs.length > 0) await failPoint("records.stored");
        return;
      } catch (error) {
        if (attempt >= ATTEMPTS_MAX || this.#isClosed) throw error;
        this.#options.log.warn({ attempt, reason: messageOf(error) }, "records are tried again");
        await this.#pause(RETRY_LEAST_MS * 4 ** (attempt - 1));
      }
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(delayMs, resolve);
    });
  }
}
