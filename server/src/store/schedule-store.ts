import type { Schedule } from "../domain/function.ts";
import type { Outcome } from "../domain/invocation.ts";

/** A function whose live revision has schedules. */
export interface ScheduledFunction {
  project: string;
  name: string;
  functionId: string;
  /** When the function was last changed: until then the server was there. */
  updatedAt: number;
  schedules: readonly Schedule[];
  /** Longest time that a run of the live revision takes, with its wait and its start. */
  runMsMax: number;
}

export interface ScheduleKey {
  functionId: string;
  schedule: string;
}

/** The last run of a schedule. Times are Unix ms. */
export interface ScheduleRun extends ScheduleKey {
  /** The moment that it was for. */
  dueAt: number;
  startedAt: number;
  invocationId: string;
  /** null: it goes on, or nobody saw its end. */
  outcome: Outcome | null;
}

export interface ScheduleRow extends ScheduleKey {
  /** null: it never ran. */
  last: Omit<ScheduleRun, keyof ScheduleKey> | null;
  /** Every due moment up to this has been run, or passed over. */
  handledUntil: number;
}

/** The part of the store that schedules need: of each the last run, for as long as its function exists. */
export interface ScheduleStore {
  /** To be asked while nothing changes. */
  scheduledFunctions(): Promise<ScheduledFunction[]>;
  /**
   * Writes that these runs begin, all in one commit, and says which may: those whose function exists and whose moment has not been handled. What was handled after `wrongFrom`
   * was so by a clock that has been set back since, and does not count.
   */
  beginScheduleRuns(
    runs: readonly Omit<ScheduleRun, "outcome">[],
    wrongFrom: number,
  ): Promise<ScheduleKey[]>;
  /** How runs ended, while no later one has begun; and up to when moments were passed over, of functions that exist. */
  noteSchedules(notes: {
    ended: readonly (ScheduleKey & { dueAt: number; outcome: Outcome })[];
    passed: readonly (ScheduleKey & { until: number })[];
  }): Promise<void>;
  /** Of one function, or of all. */
  listScheduleRuns(functionId?: string): Promise<ScheduleRow[]>;
  /** Forgets those of a function that are not among `kept`. */
  forgetScheduleRuns(functionId: string, kept: readonly string[]): Promise<void>;
}
