import type { Clock } from "../domain/clock.ts";
import type { InvocationRecord, LogRecord } from "../domain/invocation.ts";
import type { LinkNotices } from "../link/messages.ts";

type Batch = LinkNotices["records"];

const FLUSH_MS = 500;
const BATCH_RECORDS_MAX = 1000;
/** Kept for a control plane that is away; beyond it the oldest batches are dropped and counted. */
const BATCHES_MAX = 200;

/**
 * What happened, on its way to the control plane: gathered, sent in batches at most `FLUSH_MS` late, kept until acknowledged, in bounds. Losing the control plane
 * loses no call and, up to the bound, no record.
 */
export class RecordBuffer {
  readonly #clock: Clock;
  readonly #send: (batch: Batch) => boolean;
  #invocations: InvocationRecord[] = [];
  #logs: LogRecord[] = [];
  #unacknowledged = new Map<number, Batch>();
  #nextBatch = 1;
  #lost = 0;
  #lostTold = 0;
  #cancelTimer: (() => void) | null = null;

  /** `send` says false when nobody takes it; the batch is offered again by `resend`. */
  constructor(clock: Clock, send: (batch: Batch) => boolean) {
    this.#clock = clock;
    this.#send = send;
  }

  get lost(): number {
    return this.#lost;
  }

  addInvocation(record: InvocationRecord): void {
    this.#invocations.push(record);
    this.#schedule(this.#invocations.length);
  }

  addLog(record: LogRecord): void {
    this.#logs.push(record);
    this.#schedule(this.#logs.length);
  }

  flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#invocations.length + this.#logs.length === 0) return;
    const batch: Batch = {
      batch: this.#nextBatch++,
      invocations: this.#invocations,
      logs: this.#logs,
      lost: this.#lost - this.#lostTold,
    };
    this.#lostTold = this.#lost;
    this.#invocations = [];
    this.#logs = [];
    this.#unacknowledged.set(batch.batch, batch);
    this.#dropOldest();
    this.#send(batch);
  }

  /** The control plane has connected: it gets everything it has not acknowledged. */
  resend(): void {
    for (const batch of this.#unacknowledged.values()) if (!this.#send(batch)) return;
  }

  acknowledged(batch: number): void {
    this.#unacknowledged.delete(batch);
  }

  /** Resolves when everything is acknowledged, or after `withinMs`. */
  async drained(withinMs: number): Promise<void> {
    this.flush();
    const until = this.#clock.now() + withinMs;
    while (this.#unacknowledged.size > 0 && this.#clock.now() < until)
      await new Promise<void>((resolve) => this.#clock.after(10, resolve));
  }

  #schedule(count: number): void {
    if (count >= BATCH_RECORDS_MAX) return this.flush();
    this.#cancelTimer ??= this.#clock.after(FLUSH_MS, () => this.flush());
  }

  #dropOldest(): void {
    for (const [id, batch] of this.#unacknowledged) {
      if (this.#unacknowledged.size <= BATCHES_MAX) return;
      this.#lost += batch.invocations.length + batch.logs.length;
      this.#unacknowledged.delete(id);
    }
  }
}
