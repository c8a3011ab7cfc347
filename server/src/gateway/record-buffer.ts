import { randomUUID } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import { type PlatformEvent, eventOf } from "../domain/events.ts";
import { GrowingPauses } from "../domain/growing-pauses.ts";
import type { GatewaySample } from "../domain/gateway-sample.ts";
import type { InvocationRecord, LogRecord } from "../domain/invocation.ts";
import type { LinkNotices } from "../link/messages.ts";
import { ChunkWriter } from "../records/chunk-writer.ts";

type Batch = LinkNotices["records"];
type Kind = "invocations" | "logs" | "events" | "samples";
type Counts = Record<Kind, number>;

const FLUSH_MS = 500;
/** 0.2 s of 20,000 calls a second; what the store reads to find one of them. */
const INVOCATIONS_PER_BATCH_MAX = 4096;
/**
 * Invocations that took this long travel in batches of their own: those of the others then span little time, and the store finds a record without looking into all
 * that were stored while the slowest call ran.
 */
const SLOW_MS = 2000;
const SLOW_PER_BATCH_MAX = 256;
const LOGS_PER_BATCH_MAX = 1000;
const EVENTS_PER_BATCH_MAX = 1000;
/** Of one message; far below what the link takes. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** Kept of each kind for a control plane that is away; beyond it the oldest batches are dropped and counted. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;
/** Sent and not yet acknowledged. */
const IN_FLIGHT_MAX = 8;
const RETRY_PAUSES = { leastMs: 1000, mostMs: 30_000 };
const LOG_BYTES = 600;
/** Of an event, its texts included: they are cut. */
const EVENT_BYTES = 2000;
/** Of a sample: one pool with its values. */
const PART_BYTES = 600;
/** The most a character may take in JSON: `\u0001`. */
const CHARACTER_BYTES_MAX = 6;

interface Kept {
  batch: Batch;
  kind: Kind;
  records: number;
  bytes: number;
  isSent: boolean;
}

/**
 * What happened, on its way to the control plane: gathered, sent in batches at most `FLUSH_MS` late, kept until acknowledged, in bounds. Losing the control plane
 * loses no call and, up to the bounds, no record. Invocations, log lines and events travel apart, so that no flood of one takes the others with it. What had to be dropped is told as
 * an event once the store takes records again.
 */
export class RecordBuffer {
  readonly #clock: Clock;
  readonly #send: (batch: Batch) => boolean;
  readonly #source: string;
  readonly #quick = new ChunkWriter(INVOCATIONS_PER_BATCH_MAX);
  readonly #slow = new ChunkWriter(SLOW_PER_BATCH_MAX);
  #logs: LogRecord[] = [];
  #logBytes = 0;
  #events: PlatformEvent[] = [];
  readonly #keptBytes: Counts = noCounts();
  /** By number, oldest first. */
  readonly #kept = new Map<number, Kept>();
  #nextBatch = 1;
  #inFlight = 0;
  readonly #lost: Counts = noCounts();
  /** In the batches that were made since. */
  #lostTold = 0;
  /** As an event. */
  #lostNoted: Counts = noCounts();
  readonly #pauses = new GrowingPauses(RETRY_PAUSES);
  #cancelFlush: (() => void) | null = null;
  #cancelRetry: (() => void) | null = null;

  /** `send` says false when nobody takes it; the batch is offered again by `resend`. `source` names this buffer and no other ever. */
  constructor(clock: Clock, send: (batch: Batch) => boolean, source: string = randomUUID()) {
    this.#clock = clock;
    this.#send = send;
    this.#source = source;
  }

  /** Of all kinds. */
  get lost(): number {
    return this.#lost.invocations + this.#lost.logs + this.#lost.events;
  }

  get logsLost(): number {
    return this.#lost.logs;
  }

  addInvocation(record: InvocationRecord): void {
    const writer = record.totalMs < SLOW_MS ? this.#quick : this.#slow;
    writer.add(record);
    const isLong = writer.characters * CHARACTER_BYTES_MAX >= BATCH_BYTES_MAX / 2;
    this.#schedule(writer.isFull || isLong);
  }

  addLog(record: LogRecord): void {
    this.#logs.push(record);
    this.#logBytes += LOG_BYTES + record.text.length * CHARACTER_BYTES_MAX;
    const isFull = this.#logs.length >= LOGS_PER_BATCH_MAX;
    this.#schedule(isFull || this.#logBytes >= BATCH_BYTES_MAX / 2);
  }

  addEvent(event: PlatformEvent): void {
    this.#events.push(event);
    this.#schedule(this.#events.length >= EVENTS_PER_BATCH_MAX);
  }

  /** So many could not be taken. */
  noteEventsLost(count: number): void {
    this.#lost.events += count;
  }

  /** Travels at once, as a batch of its own. */
  addSample(sample: GatewaySample): void {
    const bytes = sample.parts.length * PART_BYTES;
    const content = { invocations: null, logs: [], samples: [sample] };
    this.#keep(content, { kind: "samples", records: 0, bytes });
    this.#sendMore();
  }

  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    this.#keepInvocations(this.#quick);
    this.#keepInvocations(this.#slow);
    this.#keepLogs();
    this.#keepEvents();
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
    this.#pauses.reset();
    this.#forget(batch);
    this.#noteLost();
    this.#sendMore();
  }

  /** The control plane could not store the batch: it gets it again later and later. */
  refused(batch: number): void {
    const kept = this.#kept.get(batch);
    if (kept?.isSent !== true) return;
    kept.isSent = false;
    this.#inFlight -= 1;
    const delayMs = this.#pauses.next();
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

  #keepInvocations(writer: ChunkWriter): void {
    const records = writer.count;
    if (records === 0) return;
    const invocations = writer.take();
    this.#keep(
      { invocations, logs: [] },
      { kind: "invocations", records, bytes: invocations.length },
    );
  }

  #keepLogs(): void {
    const logs = this.#logs;
    const bytes = this.#logBytes;
    if (logs.length === 0) return;
    this.#logs = [];
    this.#logBytes = 0;
    this.#keep({ invocations: null, logs }, { kind: "logs", records: logs.length, bytes });
  }

  #keepEvents(): void {
    const events = this.#events;
    if (events.length === 0) return;
    this.#events = [];
    const size = { records: events.length, bytes: events.length * EVENT_BYTES };
    this.#keep({ invocations: null, logs: [], events }, { kind: "events", ...size });
  }

  /** Whoever takes records again hears what is missing. */
  #noteLost(): void {
    const { invocations, logs, events } = this.#lost;
    const noted = this.#lostNoted;
    const fields = {
      invocations: invocations - noted.invocations,
      logs: logs - noted.logs,
      events: events - noted.events,
    };
    if (fields.invocations + fields.logs + fields.events === 0) return;
    this.#lostNoted = { ...this.#lost };
    this.addEvent(eventOf("records_lost", this.#clock.wall(), fields));
  }

  #keep(
    content: Pick<Batch, "invocations" | "logs" | "events" | "samples">,
    size: Pick<Kept, "kind" | "records" | "bytes">,
  ): void {
    const number = this.#nextBatch++;
    const lost = this.lost - this.#lostTold;
    const batch: Batch = { source: this.#source, batch: number, lost, ...content };
    this.#lostTold = this.lost;
    this.#kept.set(number, { batch, ...size, isSent: false });
    this.#keptBytes[size.kind] += size.bytes;
    this.#dropOldest(size.kind);
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
    this.#keptBytes[kept.kind] -= kept.bytes;
  }

  #dropOldest(kind: Kind): void {
    for (const [number, kept] of this.#kept) {
      if (this.#keptBytes[kind] <= KEPT_BYTES_MAX) return;
      if (kept.kind !== kind) continue;
      this.#lost[kind] += kept.records;
      // What it would have told the next one tells.
      this.#lostTold -= kept.batch.lost;
      this.#forget(number);
    }
  }
}

function noCounts(): Counts {
  return { invocations: 0, logs: 0, events: 0, samples: 0 };
}
