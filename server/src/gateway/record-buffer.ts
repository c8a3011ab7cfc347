import type { Clock } from "../domain/clock.ts";
import type { InvocationRecord, LogRecord } from "../domain/invocation.ts";
import type { LinkNotices } from "../link/messages.ts";

type Batch = LinkNotices["records"];
type Kind = "invocations" | "logs";

const FLUSH_MS = 500;
const BATCH_RECORDS_MAX = 1000;
/** Of one message, as JSON; far below what the link takes. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** Kept of each kind for a control plane that is away; beyond it the oldest batches are dropped and counted. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;
/** Sent and not yet acknowledged. */
const IN_FLIGHT_MAX = 8;
const RETRY_FIRST_MS = 1000;
const RETRY_LAST_MS = 30_000;
const RECORD_BYTES = 600;
/** The most a character may take in JSON: `\u0001`. */
const CHARACTER_BYTES_MAX = 6;

interface Kept {
  batch: Batch;
  kind: Kind;
  bytes: number;
  isSent: boolean;
}

/** Records of one kind, gathered for the next batch. */
class Lane<T> {
  records: T[] = [];
  bytes = 0;
  keptBytes = 0;

  add(record: T, bytes: number): boolean {
    this.records.push(record);
    this.bytes += bytes;
    return this.records.length >= BATCH_RECORDS_MAX || this.bytes >= BATCH_BYTES_MAX / 2;
  }

  take(): { records: T[]; bytes: number } {
    const { records, bytes } = this;
    this.records = [];
    this.bytes = 0;
    this.keptBytes += bytes;
    return { records, bytes };
  }
}

/**
 * What happened, on its way to the control plane: gathered, sent in batches at most `FLUSH_MS` late, kept until acknowledged, in bounds. Losing the control plane
 * loses no call and, up to the bounds, no record. Invocations and log lines travel apart, so that no flood of lines takes invocations with it.
 */
export class RecordBuffer {
  readonly #clock: Clock;
  readonly #send: (batch: Batch) => boolean;
  readonly #invocations = new Lane<InvocationRecord>();
  readonly #logs = new Lane<LogRecord>();
  /** By number, oldest first. */
  readonly #kept = new Map<number, Kept>();
  #nextBatch = 1;
  #inFlight = 0;
  #lost = 0;
  #lostTold = 0;
  #refusals = 0;
  #cancelFlush: (() => void) | null = null;
  #cancelRetry: (() => void) | null = null;

  /** `send` says false when nobody takes it; the batch is offered again by `resend`. */
  constructor(clock: Clock, send: (batch: Batch) => boolean) {
    this.#clock = clock;
    this.#send = send;
  }

  get lost(): number {
    return this.#lost;
  }

  addInvocation(record: InvocationRecord): void {
    const texts = record.path.length + (record.errorMessage?.length ?? 0);
    const isFull = this.#invocations.add(record, RECORD_BYTES + texts * CHARACTER_BYTES_MAX);
    this.#schedule(isFull);
  }

  addLog(record: LogRecord): void {
    const isFull = this.#logs.add(record, RECORD_BYTES + record.text.length * CHARACTER_BYTES_MAX);
    this.#schedule(isFull);
  }

  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    const invocations = this.#invocations.take();
    this.#keep("invocations", { invocations: invocations.records, logs: [] }, invocations.bytes);
    const logs = this.#logs.take();
    this.#keep("logs", { invocations: [], logs: logs.records }, logs.bytes);
    this.#sendMore();
  }

  /** The control plane has connected: it gets everything it has not acknowledged. */
  resend(): void {
    for (const kept of this.#kept.values()) kept.isSent = false;
    this.#inFlight = 0;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#sendMore();
  }

  acknowledged(batch: number): void {
    this.#refusals = 0;
    this.#forget(batch);
    this.#sendMore();
  }

  /** The control plane could not store the batch: it gets it again later and later. */
  refused(batch: number): void {
    const kept = this.#kept.get(batch);
    if (kept?.isSent !== true) return;
    kept.isSent = false;
    this.#inFlight -= 1;
    const delayMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** this.#refusals);
    this.#refusals += 1;
    this.#cancelRetry ??= this.#clock.after(delayMs, () => {
      this.#cancelRetry = null;
      this.#sendMore();
    });
  }

  /** Resolves when everything is acknowledged, or after `withinMs`. */
  async drained(withinMs: number): Promise<void> {
    this.flush();
    const until = this.#clock.now() + withinMs;
    while (this.#kept.size > 0 && this.#clock.now() < until)
      await new Promise<void>((resolve) => this.#clock.after(10, resolve));
  }

  #schedule(isFull: boolean): void {
    if (isFull) return this.flush();
    this.#cancelFlush ??= this.#clock.after(FLUSH_MS, () => this.flush());
  }

  #keep(kind: Kind, records: Pick<Batch, Kind>, bytes: number): void {
    if (records[kind].length === 0) return;
    const batch: Batch = {
      batch: this.#nextBatch++,
      ...records,
      lost: this.#lost - this.#lostTold,
    };
    this.#lostTold = this.#lost;
    this.#kept.set(batch.batch, { batch, kind, bytes, isSent: false });
    this.#dropOldest(kind);
  }

  #sendMore(): void {
    if (this.#cancelRetry !== null) return;
    for (const kept of this.#kept.values()) {
      if (this.#inFlight >= IN_FLIGHT_MAX) return;
      if (kept.isSent) continue;
      if (!this.#send(kept.batch)) return;
      kept.isSent = true;
      this.#inFlight += 1;
    }
  }

  #forget(batch: number): void {
    const kept = this.#kept.get(batch);
    if (kept === undefined) return;
    this.#kept.delete(batch);
    if (kept.isSent) this.#inFlight -= 1;
    this.#laneOf(kept.kind).keptBytes -= kept.bytes;
  }

  #dropOldest(kind: Kind): void {
    const lane = this.#laneOf(kind);
    for (const [number, kept] of this.#kept) {
      if (lane.keptBytes <= KEPT_BYTES_MAX) return;
      if (kept.kind !== kind) continue;
      this.#lost += kept.batch[kind].length;
      this.#forget(number);
    }
  }

  #laneOf(kind: Kind): Lane<InvocationRecord> | Lane<LogRecord> {
    return kind === "logs" ? this.#logs : this.#invocations;
  }
}
