import type { Clock } from "../domain/clock.ts";
import type { InvocationRecord } from "../domain/invocation.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";

/** A call in its sandbox. */
export interface CallUse {
  sandbox: PooledSandbox;
  /** Calls in it so far, with this one. */
  uses: number;
  /** CPU time before it; null: not known. */
  cpuMicrosBefore: number | null;
}

/** Of the call that has just entered. */
export function useOf(sandbox: PooledSandbox): CallUse {
  return { sandbox, uses: sandbox.uses, cpuMicrosBefore: sandbox.readings.before() };
}

/** Of one sandbox, so that a busy one is hardly ever read. */
const READ_EVERY_MS = 250;
/** A driver that takes long is asked so much less often. */
const REST_PER_READING = 100;
/** Of all sandboxes. */
const READINGS_PER_SECOND_MAX = 50;
const PENDING_MS_MAX = 2500;

/**
 * Finds out what a call took, after it has been answered, where that can be told: nobody else was in its sandbox from the reading before to the reading after it. Records wait for that;
 * callers, sandboxes and places do not. How often sandboxes are read is bounded, so that of many calls a second few are known.
 */
export class CallMeter {
  readonly #clock: Clock;
  readonly #pending = new Set<Promise<void>>();
  readonly #restsUntil = new WeakMap<PooledSandbox, number>();
  #secondStartedAt = Number.NEGATIVE_INFINITY;
  #readings = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be asked in the turn in which the call ended. `onKnown` gets the record now or later, with what is known. */
  measure(
    record: InvocationRecord,
    use: CallUse | null,
    onKnown: (record: InvocationRecord) => void,
  ): void {
    if (use === null || !this.#mayRead(use)) return onKnown(record);
    const reading = this.#read(record, use).then(() => {
      this.#pending.delete(reading);
      onKnown(record);
    });
    this.#pending.add(reading);
  }

  /** Resolves when the records that wait now have been given on. */
  async settled(): Promise<void> {
    let stop = () => {};
    const late = new Promise<void>((resolve) => {
      stop = this.#clock.after(PENDING_MS_MAX, resolve);
    });
    await Promise.race([Promise.all(this.#pending), late]);
    stop();
  }

  async #read(record: InvocationRecord, { sandbox, cpuMicrosBefore }: CallUse): Promise<void> {
    const startedAt = this.#clock.now();
    const { usage, isQuiet } = await sandbox.readings.read();
    const tookMs = this.#clock.now() - startedAt;
    const restMs = Math.max(READ_EVERY_MS, REST_PER_READING * tookMs);
    this.#restsUntil.set(sandbox, startedAt + restMs);
    if (!isQuiet) return;
    record.memoryPeakBytes = usage.memoryPeakBytes ?? null;
    if (usage.cpuMicros === null || cpuMicrosBefore === null) return;
    record.cpuMs = Math.max(0, usage.cpuMicros - cpuMicrosBefore) / 1000;
  }

  #mayRead({ sandbox, uses }: CallUse): boolean {
    if (sandbox.running > 0 || sandbox.uses !== uses || sandbox.state === "dead") return false;
    const now = this.#clock.now();
    if ((this.#restsUntil.get(sandbox) ?? 0) > now) return false;
    if (now - this.#secondStartedAt >= 1000) {
      this.#secondStartedAt = now;
      this.#readings = 0;
    }
    if (this.#readings >= READINGS_PER_SECOND_MAX) return false;
    this.#readings += 1;
    this.#restsUntil.set(sandbox, now + READ_EVERY_MS);
    return true;
  }
}
