import type { Clock } from "../domain/clock.ts";
import { type EventSink, eventOf } from "../domain/events.ts";
import type { InvocationRecord } from "../domain/invocation.ts";
import { messageOf } from "../errors.ts";
import { InvocationChunk } from "../records/invocation-chunk.ts";

/** The way to a collector. */
export interface TraceSender {
  /** The spans of these calls. Rejects, in bounded time, where the collector did not take them. */
  send(records: InvocationRecord[]): Promise<void>;
}

export interface TraceExportOptions {
  sender: TraceSender;
  clock: Clock;
  events: EventSink;
  log: { warn(fields: object, message: string): void };
}

const CALLS_WAITING_MAX = 8192;
/** Of their paths and messages, the only texts without a small limit of their own. */
const CHARACTERS_WAITING_MAX = 16_777_216;
/** Five spans each at most; about 300 KB of JSON. */
const CALLS_PER_BATCH_MAX = 128;
const IN_FLIGHT_MAX = 4;
/** Losses are told at once, and then at most this often. */
const TELL_EVERY_MS = 60_000;
const CLOSE_MS_MAX = 2000;

/**
 * Spans of calls that are in the store, on their way to a collector: each is offered once, in bounded memory and time. What a collector does not take is counted and told, and nothing
 * waits for it. Life: `open -> closed`.
 */
export class TraceExport {
  readonly #options: TraceExportOptions;
  #waiting: InvocationRecord[] = [];
  #charactersWaiting = 0;
  /** Batches, and the calls of them. */
  #inFlight = 0;
  #callsInFlight = 0;
  #exported = 0;
  #lost = 0;
  #untold = 0;
  #reason = "";
  #cancelTelling: (() => void) | null = null;
  #isClosed = false;
  /** What is still under way is counted as lost. */
  #isOver = false;
  #onIdle: () => void = () => {};

  constructor(options: TraceExportOptions) {
    this.#options = options;
  }

  /** Calls whose spans a collector has, and those whose spans were lost. */
  get counts(): { callsExported: number; callsLost: number } {
    return { callsExported: this.#exported, callsLost: this.#lost };
  }

  /** Those of a chunk that are sampled. Never waits and never fails. */
  take(bytes: Uint8Array): void {
    const chunk = new InvocationChunk(bytes);
    if (!chunk.hasTraces) return;
    let tooMany = 0;
    for (let at = 0; at < chunk.count; at += 1) {
      if (!chunk.isSampledAt(at)) continue;
      if (this.#isFull) tooMany += 1;
      else this.#wait(chunk.recordAt(at));
    }
    if (tooMany > 0) this.#lose(tooMany, "more calls are traced than the collector takes");
    this.#sendMore();
  }

  /** Resolves when what there is has been sent, or after 2 s; what is left then is lost. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#inFlight > 0) {
      let cancel = () => {};
      const late = new Promise<void>((resolve) => {
        cancel = this.#options.clock.after(CLOSE_MS_MAX, resolve);
      });
      const idle = new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
      await Promise.race([idle, late]);
      cancel();
    }
    this.#isOver = true;
    this.#cancelTelling?.();
    const left = this.#waiting.splice(0).length + this.#callsInFlight;
    if (left === 0) return;
    this.#lost += left;
    this.#options.log.warn({ calls: left }, "the collector did not take traces before the end");
  }

  get #isFull(): boolean {
    return (
      this.#isClosed ||
      this.#waiting.length >= CALLS_WAITING_MAX ||
      this.#charactersWaiting >= CHARACTERS_WAITING_MAX
    );
  }

  #wait(record: InvocationRecord): void {
    this.#waiting.push(record);
    this.#charactersWaiting += charactersOf(record);
  }

  #sendMore(): void {
    while (this.#inFlight < IN_FLIGHT_MAX && this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, CALLS_PER_BATCH_MAX);
      for (const record of batch) this.#charactersWaiting -= charactersOf(record);
      void this.#send(batch);
    }
    if (this.#inFlight === 0) this.#onIdle();
  }

  async #send(records: InvocationRecord[]): Promise<void> {
    this.#inFlight += 1;
    this.#callsInFlight += records.length;
    const failure = await this.#options.sender.send(records).then(
      () => null,
      (error: unknown) => messageOf(error),
    );
    if (this.#isOver) return;
    this.#inFlight -= 1;
    this.#callsInFlight -= records.length;
    if (failure === null) this.#exported += records.length;
    else this.#lose(records.length, failure);
    this.#sendMore();
  }

  #lose(calls: number, reason: string): void {
    this.#lost += calls;
    if (this.#isOver) return;
    this.#untold += calls;
    this.#reason = reason;
    if (this.#cancelTelling === null) this.#tell();
  }

  #tell(): void {
    const { clock, events, log } = this.#options;
    this.#cancelTelling = null;
    if (this.#untold === 0) return;
    const fields = { calls: this.#untold, reason: this.#reason };
    this.#untold = 0;
    log.warn(fields, "spans of calls did not reach the collector");
    events.add(eventOf("traces_lost", clock.wall(), fields));
    this.#cancelTelling = clock.after(TELL_EVERY_MS, () => this.#tell());
  }
}

function charactersOf({ path, errorMessage }: InvocationRecord): number {
  return path.length + (errorMessage?.length ?? 0);
}
