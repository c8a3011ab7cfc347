import type { Clock } from "../domain/clock.ts";
import type { Outcome } from "../domain/invocation.ts";
import { messageOf } from "../errors.ts";
import type { ScheduleKey, ScheduleStore } from "../store/schedule-store.ts";
import { textOf } from "./calendar.ts";
import type { SchedulesLog } from "./ports.ts";

export interface ScheduleNotesOptions {
  store: Pick<ScheduleStore, "noteSchedules">;
  clock: Clock;
  log: SchedulesLog;
}

const FLUSH_MS = 200;
const RETRY_MS = 5000;

/**
 * How runs ended and what was passed over, on its way to the store: many in one commit, at most `FLUSH_MS` late. An end without a word (kill -9) loses what is younger: then an
 * outcome is looked for again, and a moment that was passed over may be told once more. Life: `open -> closed`.
 */
export class ScheduleNotes {
  readonly #options: ScheduleNotesOptions;
  /** One for each schedule at most. */
  #ended = new Map<string, ScheduleKey & { dueAt: number; outcome: Outcome }>();
  #passed = new Map<string, ScheduleKey & { until: number }>();
  #cancel: (() => void) | null = null;
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: ScheduleNotesOptions) {
    this.#options = options;
  }

  ended(key: ScheduleKey, dueAt: number, outcome: Outcome): void {
    this.#ended.set(textOf(key), { ...key, dueAt, outcome });
    this.#flushAfter(FLUSH_MS);
  }

  passed(key: ScheduleKey, until: number): void {
    this.#passed.set(textOf(key), { ...key, until });
    this.#flushAfter(FLUSH_MS);
  }

  /** Resolves when what there is has been stored, or could not be. */
  async close(): Promise<void> {
    this.#cancel?.();
    this.#cancel = () => {};
    await this.#flushing;
    await this.#flush();
  }

  #flushAfter(delayMs: number): void {
    this.#cancel ??= this.#options.clock.after(delayMs, () => {
      this.#flushing = this.#flush().then((isStored) => {
        this.#cancel = null;
        if (this.#ended.size + this.#passed.size > 0)
          this.#flushAfter(isStored ? FLUSH_MS : RETRY_MS);
      });
    });
  }

  async #flush(): Promise<boolean> {
    const [ended, passed] = [this.#ended, this.#passed];
    if (ended.size + passed.size === 0) return true;
    this.#ended = new Map();
    this.#passed = new Map();
    try {
      const notes = { ended: [...ended.values()], passed: [...passed.values()] };
      await this.#options.store.noteSchedules(notes);
      return true;
    } catch (error) {
      this.#ended = new Map([...ended, ...this.#ended]);
      this.#passed = new Map([...passed, ...this.#passed]);
      const reason = messageOf(error);
      this.#options.log.warn({ reason }, "ends of scheduled runs could not be stored; tried again");
      return false;
    }
  }
}
