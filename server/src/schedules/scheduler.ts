import type { Clock } from "../domain/clock.ts";
import { type EventSink, eventOf } from "../domain/events.ts";
import { messageOf } from "../errors.ts";
import { idSource } from "../domain/ids.ts";
import { type RevisionSettings, runMsMaxOf } from "../domain/function.ts";
import type { ScheduleRow, ScheduledFunction } from "../store/schedule-store.ts";
import type { FunctionRow, Store } from "../store/store.ts";
import { CLOCK_BACK_MS_MAX, Calendar, type Owner, type Taken, keyOf } from "./calendar.ts";
import type { InvokeLink, SchedulesLog } from "./ports.ts";
import { ScheduleNotes } from "./schedule-notes.ts";
import { ScheduledRuns, isoOf } from "./scheduled-runs.ts";

export interface SchedulerOptions {
  store: Pick<
    Store,
    | "scheduledFunctions"
    | "listScheduleRuns"
    | "beginScheduleRuns"
    | "noteSchedules"
    | "forgetScheduleRuns"
    | "getFunction"
    | "getRevision"
    | "getInvocation"
  >;
  gateway: InvokeLink;
  events: EventSink;
  clock: Clock;
  log: SchedulesLog;
  /** Runs at once. */
  runsMax: number;
}

/** The clock of the machine is looked at this often, as it may be set, and a machine may have slept. */
const LOOK_MS_MAX = 10_000;
/** A clock that is corrected by less is left alone: nothing comes twice by that. */
const SET_BACK_MS = 60_000;
/** Of the event loop, for what is due at once; then others have their turn. */
const SLICE_MS = 20;

/**
 * Has functions called when their schedules say. It holds the next due moment of each and one timer for the earliest; it is told of every change of a function once that is committed,
 * and before anybody who asked for it hears so. Life: `open -> closed`.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #calendar = new Calendar();
  readonly #notes: ScheduleNotes;
  readonly #runs: ScheduledRuns;
  #lastWall: number;
  #cancel: () => void = () => {};
  #isClosed = false;

  private constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#notes = new ScheduleNotes(options);
    const newInvocationId = idSource("inv");
    this.#runs = new ScheduledRuns({ ...options, notes: this.#notes, newInvocationId });
    this.#lastWall = options.clock.wall();
  }

  /** While nothing changes in the store. */
  static async open(options: SchedulerOptions): Promise<Scheduler> {
    const scheduler = new Scheduler(options);
    const { store, clock } = options;
    const functions = await store.scheduledFunctions();
    const rows = functions.length === 0 ? [] : await store.listScheduleRuns();
    const ofFunction = Map.groupBy(rows, ({ functionId }) => functionId);
    const now = clock.wall();
    for (const fn of functions)
      scheduler.#load(fn, ofFunction.get(fn.functionId) ?? [], { since: fn.updatedAt, now });
    scheduler.#lookLater();
    return scheduler;
  }

  /** What has been committed: the settings of the live revision. */
  put({ id: functionId, project, name, updatedAt }: FunctionRow, settings: RevisionSettings): void {
    const { clock } = this.#options;
    const { schedules } = settings;
    const about = { project, name, functionId, updatedAt };
    this.#calendar.put({ ...about, schedules, runMsMax: runMsMaxOf(settings) }, clock.wall());
    this.#lookLater();
    void this.#forgetOthers(functionId, settings);
  }

  delete(fn: Pick<Owner, "project" | "name">): void {
    this.#calendar.delete(fn);
    this.#lookLater();
  }

  /** Unix ms; null: never. */
  dueOf(fn: Pick<Owner, "project" | "name">, schedule: string): number | null {
    return this.#calendar.dueOf(fn, schedule);
  }

  /** Nothing is begun any more; resolves when the ends that were seen are stored. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    this.#runs.close();
    await this.#notes.close();
  }

  /** Of an earlier life: what came due since then has been missed. */
  #load(
    fn: ScheduledFunction,
    rows: readonly ScheduleRow[],
    { since, now }: { since: number; now: number },
  ): void {
    const right = rows.filter(({ handledUntil }) => handledUntil <= now + CLOCK_BACK_MS_MAX);
    this.#calendar.put(fn, Math.min(since, now), right);
    for (const row of right) this.#runs.adopt(fn, row);
  }

  #lookLater(): void {
    this.#cancel();
    const { next } = this.#calendar;
    if (this.#isClosed || next === null) return;
    const { clock } = this.#options;
    // A timer may be a little early.
    const delayMs = Math.min(Math.max(next - clock.wall(), 1), LOOK_MS_MAX);
    this.#cancel = clock.after(delayMs, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const { clock } = this.#options;
    const wall = clock.wall();
    if (wall < this.#lastWall - SET_BACK_MS) this.#calendar.reset(wall);
    this.#lastWall = wall;
    const until = clock.now() + SLICE_MS;
    for (let taken = this.#calendar.take(wall); taken !== null; taken = this.#calendar.take(wall)) {
      this.#onDue(taken);
      if (clock.now() > until) return;
    }
  }

  #onDue({ entry, first, run, missed }: Taken): void {
    const { events, clock } = this.#options;
    const { owner, schedule } = entry;
    if (missed > 0) {
      const fields = { schedule, count: missed, due: isoOf(first) };
      events.add(eventOf("schedule_missed", clock.wall(), fields, owner));
    }
    if (run === null) this.#notes.passed(keyOf(entry), entry.handledUntil);
    else this.#runs.take(entry, run);
  }

  /** A name that is used again later begins anew. */
  async #forgetOthers(functionId: string, { schedules }: RevisionSettings): Promise<void> {
    try {
      const names = schedules.map(({ name }) => name);
      await this.#options.store.forgetScheduleRuns(functionId, names);
    } catch (error) {
      // They are of no use, and go with the function or its next change.
      const reason = messageOf(error);
      this.#options.log.warn({ reason }, "rows of schedules that are no more could not be removed");
    }
  }
}
