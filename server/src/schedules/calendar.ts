import type { ScheduleKey, ScheduleRow, ScheduledFunction } from "../store/schedule-store.ts";
import { type CaughtUp, catchUp } from "./catch-up.ts";
import { nextDue } from "./cron.ts";
import { type Due, DueHeap } from "./due-heap.ts";

/** By so much the clock may be set back without that moments which were run come again; what was handled later than that was so by a clock that was wrong. */
export const CLOCK_BACK_MS_MAX = 24 * 3_600_000;

/** A function as the calendar knows it; replaced with each change of the function. */
export type Owner = Pick<ScheduledFunction, "project" | "name" | "functionId" | "runMsMax">;

/** An enabled schedule and its next due moment, as long as it is in the calendar. */
export interface Entry extends Due {
  owner: Owner;
  schedule: string;
  cron: string;
  timeZone: string;
  /** Every moment up to this is done with. */
  handledUntil: number;
  isGone: boolean;
}

export interface Taken extends CaughtUp {
  entry: Entry;
  /** The first of its moments. */
  first: number;
}

/** When each schedule of every function is due next. All times are Unix ms; it knows no clock. */
export class Calendar {
  readonly #heap = new DueHeap<Entry>();
  /** By project and function, then by the schedule's name; also those that never come due again. */
  readonly #entries = new Map<string, Map<string, Entry>>();

  /** The earliest due moment. */
  get next(): number | null {
    return this.#heap.first?.due ?? null;
  }

  get size(): number {
    return this.#heap.size;
  }

  /**
   * Takes over what the function's schedules are now. One that stays as it was keeps its due moment; any other comes due from `since` on, and not for what `rows` say was
   * handled.
   */
  put(fn: ScheduledFunction, since: number, rows: readonly ScheduleRow[] = []): void {
    const { project, name, functionId, runMsMax } = fn;
    const owner = { project, name, functionId, runMsMax };
    const before = this.#entries.get(placeOf(fn)) ?? new Map<string, Entry>();
    const after = new Map<string, Entry>();
    for (const { name: schedule, cron, timeZone, enabled } of fn.schedules) {
      if (!enabled) continue;
      const old = before.get(schedule);
      const isSame = old?.cron === cron && old.timeZone === timeZone;
      if (old !== undefined && isSame && old.owner.functionId === functionId) {
        old.owner = owner;
        after.set(schedule, old);
        before.delete(schedule);
        continue;
      }
      const row = rows.find((one) => one.schedule === schedule);
      const handledUntil = Math.max(row?.handledUntil ?? 0, handledBy(old, functionId));
      const when = { schedule, cron, timeZone, handledUntil };
      const entry = { owner, ...when, isGone: false, due: 0, place: -1 };
      after.set(schedule, entry);
      this.#plan(entry, Math.max(since, handledUntil));
    }
    for (const entry of before.values()) this.#drop(entry);
    if (after.size > 0) this.#entries.set(placeOf(fn), after);
    else this.#entries.delete(placeOf(fn));
  }

  delete(fn: Pick<Owner, "project" | "name">): void {
    for (const entry of this.#entries.get(placeOf(fn))?.values() ?? []) this.#drop(entry);
    this.#entries.delete(placeOf(fn));
  }

  /** The earliest that is due at `now`, with what becomes of its moments up to now. It is due again after `now`. Null: none is due. */
  take(now: number): Taken | null {
    const entry = this.#heap.first;
    if (entry === undefined || entry.due > now) return null;
    const first = entry.due;
    const caughtUp = catchUp(entry, first, now);
    entry.handledUntil = now;
    this.#plan(entry, now);
    return { entry, first, ...caughtUp };
  }

  /** The clock has been set back to `now`: what lies ahead is due when it comes, but for what was handled. */
  reset(now: number): void {
    for (const entries of this.#entries.values())
      for (const entry of entries.values()) {
        const isWrong = entry.handledUntil > now + CLOCK_BACK_MS_MAX;
        if (isWrong) entry.handledUntil = now;
        this.#plan(entry, Math.max(now, entry.handledUntil));
      }
  }

  /** null: it is not in the calendar, or never comes due again. */
  dueOf(fn: Pick<Owner, "project" | "name">, schedule: string): number | null {
    const entry = this.#entries.get(placeOf(fn))?.get(schedule);
    return entry === undefined || entry.place === -1 ? null : entry.due;
  }

  #plan(entry: Entry, after: number): void {
    this.#heap.remove(entry);
    const due = nextDue(entry.cron, entry.timeZone, after);
    if (due === null) return;
    entry.due = due;
    this.#heap.add(entry);
  }

  #drop(entry: Entry): void {
    entry.isGone = true;
    this.#heap.remove(entry);
  }
}

/** Of an entry that is replaced: its moments do not come again with another expression. */
function handledBy(old: Entry | undefined, functionId: string): number {
  return old?.owner.functionId === functionId ? old.handledUntil : 0;
}

function placeOf({ project, name }: Pick<Owner, "project" | "name">): string {
  return `${project}/${name}`;
}

/** Of a key, as text. */
export function textOf({ functionId, schedule }: ScheduleKey): string {
  return `${functionId}/${schedule}`;
}

export function keyOf({ owner, schedule }: Pick<Entry, "owner" | "schedule">): ScheduleKey {
  return { functionId: owner.functionId, schedule };
}
