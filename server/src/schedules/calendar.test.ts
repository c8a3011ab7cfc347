import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Schedule } from "../domain/function.ts";
import type { ScheduledFunction } from "../store/schedule-store.ts";
import { Calendar } from "./calendar.ts";

const minute = 60_000;
const hour = 60 * minute;
const noon = Date.parse("2026-11-30T12:00:00Z");

function every(cron: string, name = "s", more: Partial<Schedule> = {}): Schedule {
  return { name, cron, timeZone: "UTC", enabled: true, ...more };
}

function fn(schedules: Schedule[], more: Partial<ScheduledFunction> = {}): ScheduledFunction {
  const about = { project: "default", name: "f", functionId: "fn-1", updatedAt: 0 };
  return { ...about, schedules, runMsMax: 1000, ...more };
}

/** Takes all that is due. */
function taken(calendar: Calendar, now: number) {
  const all = [];
  for (let one = calendar.take(now); one !== null; one = calendar.take(now)) all.push(one);
  return all.map(({ entry, run, missed }) => [entry.schedule, run, missed]);
}

function rowAt(handledUntil: number) {
  return [{ functionId: "fn-1", schedule: "s", handledUntil, last: null }];
}

describe("the calendar", () => {
  test("gives what is due, the earliest first, once", () => {
    const calendar = new Calendar();
    calendar.put(fn([every("*/2 * * * *", "b"), every("* * * * *", "a")]), noon);
    assert.equal(calendar.next, noon + minute);
    assert.deepEqual(taken(calendar, noon + minute - 1), []);
    assert.deepEqual(taken(calendar, noon + minute), [["a", noon + minute, 0]]);
    assert.deepEqual(taken(calendar, noon + minute), []);
    assert.deepEqual(taken(calendar, noon + 2 * minute).toSorted(), [
      ["a", noon + 2 * minute, 0],
      ["b", noon + 2 * minute, 0],
    ]);
  });

  test("follows a change of one schedule and leaves the others as they were", () => {
    const calendar = new Calendar();
    calendar.put(fn([every("0 * * * *"), every("30 * * * *", "half")]), noon);
    calendar.put(fn([every("15 * * * *"), every("30 * * * *", "half")]), noon + 40 * minute);
    assert.equal(calendar.dueOf(fn([]), "s"), noon + 75 * minute);
    // It was due before the change, and nobody has looked since.
    assert.equal(calendar.dueOf(fn([]), "half"), noon + 30 * minute);
    calendar.put(fn([every("15 * * * *", "s", { enabled: false })]), noon + 41 * minute);
    assert.deepEqual([calendar.size, calendar.dueOf(fn([]), "s")], [0, null]);
    assert.deepEqual(taken(calendar, noon + 24 * hour), []);
  });

  test("marks entries that are gone, for whoever holds one", () => {
    const calendar = new Calendar();
    calendar.put(fn([every("* * * * *")]), noon);
    const entry = calendar.take(noon + minute)?.entry;
    assert.equal(entry?.isGone, false);
    calendar.delete(fn([]));
    assert.equal(entry?.isGone, true);
    assert.equal(calendar.next, null);
  });

  test("does not take a function of the same name for the one that was deleted", () => {
    const calendar = new Calendar();
    calendar.put(fn([every("0 * * * *")]), noon);
    const other = fn([every("0 * * * *")], { functionId: "fn-2" });
    calendar.put(other, noon + 90 * minute);
    assert.equal(calendar.dueOf(other, "s"), noon + 2 * hour);
    assert.equal(calendar.take(noon + 2 * hour)?.entry.owner.functionId, "fn-2");
  });

  test("knows from the store what was handled, and has the rest for missed", () => {
    const calendar = new Calendar();
    const since = noon - 10 * hour;
    calendar.put(fn([every("0 * * * *")]), since, rowAt(noon - 3 * hour));
    assert.deepEqual(taken(calendar, noon + 5 * minute), [["s", noon, 2]]);
    const early = new Calendar();
    early.put(fn([every("0 * * * *")]), noon - hour, rowAt(noon - 5 * hour));
    assert.deepEqual(taken(early, noon + 5 * minute), [["s", noon, 0]]);
  });

  test("has a moment that never comes again no more", () => {
    const calendar = new Calendar();
    calendar.put(fn([every("0 0 29 2 *")]), noon);
    assert.equal(calendar.dueOf(fn([]), "s"), Date.parse("2028-02-29T00:00:00Z"));
    assert.equal(calendar.dueOf(fn([]), "other"), null);
  });

  test("with a clock that was set back by an hour runs nothing again that was run", () => {
    const calendar = new Calendar();
    calendar.put(fn([every("*/20 * * * *")]), noon);
    assert.equal(taken(calendar, noon + hour).length, 1);
    calendar.reset(noon);
    assert.deepEqual(taken(calendar, noon + hour), []);
    assert.deepEqual(taken(calendar, noon + 80 * minute), [["s", noon + 80 * minute, 0]]);
  });

  test("with a clock that was set back by a year begins anew", () => {
    const calendar = new Calendar();
    calendar.put(fn([every("*/20 * * * *")]), noon);
    taken(calendar, noon + 365 * 24 * hour);
    calendar.reset(noon);
    assert.deepEqual(taken(calendar, noon + 20 * minute), [["s", noon + 20 * minute, 0]]);
  });

  test("that learned of a function while the clock was wrong has it due at the right time once that is set back", () => {
    const calendar = new Calendar();
    calendar.put(fn([every("*/20 * * * *")]), noon + 5 * hour);
    calendar.reset(noon);
    assert.equal(calendar.next, noon + 20 * minute);
  });
});
