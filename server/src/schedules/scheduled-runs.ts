import type { Clock } from "../domain/clock.ts";
import { type EventSink, eventOf } from "../domain/events.ts";
import type { Outcome } from "../domain/invocation.ts";
import { invokeMsMax } from "../domain/limits.ts";
import { IsolaError, messageOf } from "../errors.ts";
import { failPoint } from "../fail-points.ts";
import type { InvokeParams } from "../link/messages.ts";
import type { ScheduleRow } from "../store/schedule-store.ts";
import type { Store } from "../store/store.ts";
import { CLOCK_BACK_MS_MAX, type Entry, type Owner, keyOf, textOf } from "./calendar.ts";
import { LATE_MS_MAX } from "./catch-up.ts";
import { type ScheduleAsked, paramsOf } from "./invoke-schedule.ts";
import type { InvokeLink, SchedulesLog } from "./ports.ts";
import type { ScheduleNotes } from "./schedule-notes.ts";
import { RunningCounts } from "./running-counts.ts";
import { UnseenRuns } from "./unseen-runs.ts";

export interface ScheduledRunsOptions {
  store: Pick<Store, "beginScheduleRuns" | "getFunction" | "getRevision" | "getInvocation">;
  gateway: InvokeLink;
  notes: Pick<ScheduleNotes, "ended" | "passed">;
  events: EventSink;
  clock: Clock;
  log: SchedulesLog;
  newInvocationId: () => string;
  /** At once; others wait. */
  runsMax: number;
}

/** A due moment on its way to be run. */
interface Waiting {
  entry: Entry;
  due: number;
}

interface Begun extends Waiting {
  id: string;
}

/** Of those that have begun and whose end was not seen; `unseen`: it was begun in an earlier life. */
interface Going {
  id: string;
  state: "running" | "unseen";
}

/** Begun with one commit. */
const BATCH_MAX = 100;
/** Until the gateway is looked for again, or the store. */
const AGAIN_MS = 1000;

/**
 * Runs due moments: each at most once, as its row is on disk before the gateway hears of it, and one of a schedule at a time. A moment waits, for `LATE_MS_MAX` at most, while the
 * gateway is away, its project has its share of `runsMax`, or it is not known whether the run before it goes on. A moment: `waiting -> running -> ended`, or it is passed over. Life: `open -> closed`.
 */
export class ScheduledRuns {
  readonly #options: ScheduledRunsOptions;
  /** Both by schedule, in the order in which they came. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #going = new Map<string, Going>();
  readonly #unseen: UnseenRuns;
  readonly #running = new RunningCounts();
  #isPumping = false;
  #isClosed = false;
  #cancel: (() => void) | null = null;

  constructor(options: ScheduledRunsOptions) {
    this.#options = options;
    this.#unseen = new UnseenRuns({
      ...options,
      onEnd: ({ owner, schedule }, run, end) => {
        this.#going.delete(placeOf({ owner, schedule }));
        this.#ended({ owner, schedule, due: run.dueAt, id: run.invocationId }, end);
        void this.#pump();
      },
    });
  }

  /** A run that an earlier life has begun, and whose end that did not see. */
  adopt(owner: Owner, { schedule, last }: ScheduleRow): void {
    if (last === null || last.outcome !== null) return;
    this.#going.set(placeOf({ owner, schedule }), { id: last.invocationId, state: "unseen" });
    this.#unseen.add({ owner, schedule }, last);
  }

  /** Runs it as soon as it can be; skips it where the run before goes on. */
  take(entry: Entry, due: number): void {
    const place = placeOf(entry);
    const going = this.#going.get(place);
    if (going?.state === "running") return this.#skip(entry, due, going.id);
    const before = this.#waiting.get(place);
    if (before !== undefined) this.#miss(before);
    this.#waiting.set(place, { entry, due });
    void this.#pump();
  }

  /** Nothing begins any more. Runs that go on do so without an end: the next life looks for it. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#unseen.close();
  }

  /** Begins what can begin. One at a time. */
  async #pump(): Promise<void> {
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    try {
      for (let batch = this.#next(); batch.length > 0; batch = this.#next())
        await this.#begin(batch);
    } catch (error) {
      // The moments wait still. Where the commit was made and not told, they are found handled.
      const reason = messageOf(error);
      this.#options.log.warn({ reason }, "scheduled runs could not be begun; tried again");
    }
    this.#isPumping = false;
    if (this.#waiting.size > 0) this.#pumpAgain();
  }

  #pumpAgain(): void {
    if (this.#isClosed) return;
    this.#cancel ??= this.#options.clock.after(AGAIN_MS, () => {
      this.#cancel = null;
      void this.#pump();
    });
  }

  /** The next that may begin; drops those whose schedule has gone, or whose moment was too long ago. */
  #next(): Waiting[] {
    const { clock, gateway, runsMax } = this.#options;
    const oldest = clock.wall() - LATE_MS_MAX;
    const counts = this.#running.copy();
    const batch: Waiting[] = [];
    for (const [place, one] of this.#waiting) {
      const isLate = one.due <= oldest;
      if (isLate) this.#miss(one);
      if (isLate || one.entry.isGone) this.#waiting.delete(place);
      else if (gateway.isConnected && batch.length < BATCH_MAX && !this.#going.has(place)) {
        const { project } = one.entry.owner;
        if (!counts.hasRoom(project, runsMax)) continue;
        counts.add(project);
        batch.push(one);
      }
    }
    return this.#isClosed ? [] : batch;
  }

  async #begin(batch: readonly Waiting[]): Promise<void> {
    const { store, clock, notes, newInvocationId } = this.#options;
    const startedAt = clock.wall();
    const asked = batch.map((one) => ({ ...one, id: newInvocationId() }));
    const rows = asked.map(({ entry, due: dueAt, id: invocationId }) => ({
      ...keyOf(entry),
      ...{ dueAt, startedAt, invocationId },
    }));
    await failPoint("schedule.due");
    const begun = await store.beginScheduleRuns(rows, startedAt + CLOCK_BACK_MS_MAX);
    await failPoint("schedule.begun");
    const places = new Set(begun.map(textOf));
    for (const one of asked) {
      const place = placeOf(one.entry);
      // What is due meanwhile stands in its place, and is skipped or waits as it should.
      if (this.#waiting.get(place)?.due === one.due) this.#waiting.delete(place);
      if (!places.has(place)) continue;
      // Somebody was told meanwhile that it does not run any more.
      if (one.entry.isGone) notes.ended(keyOf(one.entry), one.due, "cancelled");
      else void this.#run(one);
    }
  }

  async #run({ entry, due, id }: Begun): Promise<void> {
    const place = placeOf(entry);
    const { owner, schedule } = entry;
    this.#going.set(place, { id, state: "running" });
    this.#running.add(owner.project);
    const end = await this.#outcomeOf({ owner, schedule, due, id });
    await failPoint("schedule.ended");
    this.#running.remove(owner.project);
    this.#going.delete(place);
    if (this.#isClosed && end.isUnsure) return;
    this.#ended({ owner, schedule, due, id }, end);
    void this.#pump();
  }

  async #outcomeOf(run: RunAbout): Promise<RunEnd> {
    const { store, gateway } = this.#options;
    try {
      const params: InvokeParams = { ...(await paramsOf(store, run)), id: run.id };
      const { outcome, error } = await gateway.request(
        "invoke",
        params,
        AbortSignal.timeout(invokeMsMax),
      );
      return { outcome: outcome as Outcome, code: error?.code, message: error?.message };
    } catch (error) {
      const code = error instanceof IsolaError ? error.code : "internal_error";
      return { outcome: "platform_error", code, message: messageOf(error), isUnsure: true };
    }
  }

  #ended({ owner, schedule, due, id }: RunAbout, { outcome, code, message }: RunEnd): void {
    const { notes, events, clock } = this.#options;
    notes.ended({ functionId: owner.functionId, schedule }, due, outcome);
    if (outcome === "ok") return;
    const failure = { outcome, code: code ?? null, message: message ?? "" };
    const fields = { schedule, due: isoOf(due), invocation: id, ...failure };
    events.add(eventOf("schedule_failed", clock.wall(), fields, owner));
  }

  #skip(entry: Entry, due: number, invocation: string): void {
    const { notes, events, clock } = this.#options;
    const { owner, schedule } = entry;
    notes.passed(keyOf(entry), due);
    const fields = { schedule, due: isoOf(due), invocation };
    events.add(eventOf("schedule_skipped", clock.wall(), fields, owner));
  }

  #miss({ entry, due }: Waiting): void {
    const { notes, events, clock } = this.#options;
    if (entry.isGone) return;
    const { owner, schedule } = entry;
    notes.passed(keyOf(entry), due);
    const fields = { schedule, count: 1, due: isoOf(due) };
    events.add(eventOf("schedule_missed", clock.wall(), fields, owner));
  }
}

interface RunAbout extends ScheduleAsked {
  owner: Owner;
  /** Of the invocation. */
  id: string;
}

interface RunEnd {
  outcome: Outcome;
  code?: string | undefined;
  message?: string | undefined;
  /** It may still go on, or never have begun. */
  isUnsure?: boolean;
}

export function isoOf(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

function placeOf({ owner, schedule }: Pick<Entry, "owner" | "schedule">): string {
  return textOf(keyOf({ owner, schedule }));
}
