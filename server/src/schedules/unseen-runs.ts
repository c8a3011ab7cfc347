import type { Clock } from "../domain/clock.ts";
import type { Outcome } from "../domain/invocation.ts";
import { IsolaError, messageOf } from "../errors.ts";
import type { ScheduleRun } from "../store/schedule-store.ts";
import type { Store } from "../store/store.ts";
import type { Owner } from "./calendar.ts";
import type { SchedulesLog } from "./ports.ts";

type Whose = { owner: Owner; schedule: string };
type Run = Pick<ScheduleRun, "dueAt" | "startedAt" | "invocationId">;
type End = { outcome: Outcome; code?: string; message?: string };

export interface UnseenRunsOptions {
  store: Pick<Store, "getInvocation">;
  clock: Clock;
  log: SchedulesLog;
  onEnd(whose: Whose, run: Run, end: End): void;
}

interface Unseen {
  whose: Whose;
  run: Run;
  /** Of the monotonic clock: it cannot go on any longer, and its record has come. */
  until: number;
}

const LOOK_EVERY_MS = 1000;
/** For the record of a run to come from the gateway, and for a sandbox that is killed to be gone. */
const SLACK_MS = 3000;

/**
 * Runs that an earlier life of the control plane has begun: what became of one is found in its record, and where there is none by the time when it can no longer go on, the platform
 * has failed in it. Life: `open -> closed`.
 */
export class UnseenRuns {
  readonly #options: UnseenRunsOptions;
  #runs: Unseen[] = [];
  #cancel: (() => void) | null = null;
  #isClosed = false;

  constructor(options: UnseenRunsOptions) {
    this.#options = options;
  }

  add(whose: Whose, run: Run): void {
    const { clock } = this.#options;
    const { runMsMax } = whose.owner;
    const leftMs = Math.min(Math.max(run.startedAt + runMsMax - clock.wall(), 0), runMsMax);
    this.#runs.push({ whose, run, until: clock.now() + leftMs + SLACK_MS });
    this.#lookLater();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #lookLater(): void {
    if (this.#isClosed || this.#runs.length === 0) return;
    this.#cancel ??= this.#options.clock.after(LOOK_EVERY_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { log } = this.#options;
    for (const one of this.#runs) {
      try {
        const end = await this.#endOf(one);
        if (this.#isClosed) return;
        if (end === null) continue;
        this.#runs = this.#runs.filter((other) => other !== one);
        this.#options.onEnd(one.whose, one.run, end);
      } catch (error) {
        log.warn({ reason: messageOf(error) }, "what became of a scheduled run could not be read");
      }
    }
    this.#cancel = null;
    this.#lookLater();
  }

  /** null: it may go on. */
  async #endOf({ whose, run, until }: Unseen): Promise<End | null> {
    const { store, clock } = this.#options;
    try {
      const record = await store.getInvocation(whose.owner.project, run.invocationId);
      const { outcome, errorCode, errorMessage } = record;
      return { outcome, code: errorCode ?? "internal_error", message: errorMessage ?? "" };
    } catch (error) {
      if (!(error instanceof IsolaError) || error.code !== "not_found") throw error;
      if (clock.now() < until) return null;
      const message = "the server ended while it ran, or just before";
      return { outcome: "platform_error", code: "not_ready", message };
    }
  }
}
