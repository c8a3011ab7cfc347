import { randomUUID } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import { type EventSink, type PlatformEvent, eventOf } from "../domain/events.ts";
import type { RecordBatch } from "../records/record-batch.ts";

export interface EventLogOptions {
  /** Stores a batch, or rejects. */
  record(batch: RecordBatch & { lost: number }): Promise<void>;
  clock: Clock;
}

const FLUSH_MS = 100;
const RETRY_MS = 5000;
/** Held while the store takes none; more are dropped and counted. */
const WAITING_MAX = 1000;

/**
 * What the control plane does, on its way to the store: batches, at most `FLUSH_MS` late, each stored once. An end without a word (kill -9) takes what is younger than that with
 * it. Life: `open -> closed`.
 */
export class EventLog implements EventSink {
  readonly #options: EventLogOptions;
  readonly #source = randomUUID();
  #waiting: PlatformEvent[] = [];
  /** Under way, or to be sent again as it is. */
  #batch: PlatformEvent[] = [];
  #number = 0;
  #lost = 0;
  #cancelTimer: (() => void) | null = null;
  #flushing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  add(event: PlatformEvent): void {
    if (this.#waiting.length >= WAITING_MAX) this.#lost += 1;
    else this.#waiting.push(event);
    this.#flushAfter(FLUSH_MS);
  }

  /** Resolves when what there is has been stored, or could not be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    await this.#flushing;
    await this.#flush();
  }

  #flushAfter(delayMs: number): void {
    if (this.#isClosed) return;
    this.#cancelTimer ??= this.#options.clock.after(delayMs, () => {
      this.#flushing = this.#flush().then((isStored) => {
        this.#cancelTimer = null;
        if (!isStored) this.#flushAfter(RETRY_MS);
        else if (this.#waiting.length > 0) this.#flushAfter(FLUSH_MS);
      });
    });
  }

  async #flush(): Promise<boolean> {
    this.#takeBatch();
    if (this.#batch.length === 0) return true;
    const batch = { source: this.#source, batch: this.#number, invocations: null, logs: [] };
    try {
      await this.#options.record({ ...batch, events: this.#batch, lost: 0 });
      this.#batch = [];
      return true;
    } catch {
      return false; // told by the recorder; the same batch is sent again
    }
  }

  #takeBatch(): void {
    if (this.#batch.length > 0) return;
    this.#batch = this.#waiting;
    this.#waiting = [];
    this.#number += 1;
    if (this.#lost === 0) return;
    const fields = { invocations: 0, logs: 0, events: this.#lost };
    this.#batch.push(eventOf("records_lost", this.#options.clock.wall(), fields));
    this.#lost = 0;
  }
}
