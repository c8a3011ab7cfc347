import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MISSED_MAX, catchUp } from "./catch-up.ts";

const minute = 60_000;
const utc = (cron: string) => ({ cron, timeZone: "UTC" });
const at = (text: string) => Date.parse(`2026-11-30T${text}Z`);

describe("due moments up to now", () => {
  test("are one, which is run, where nothing was missed", () => {
    const now = at("10:00:00.004");
    assert.deepEqual(catchUp(utc("* * * * *"), at("10:00:00"), now), {
      run: at("10:00:00"),
      missed: 0,
    });
  });

  test("are the newest, which is run, and others, which are missed", () => {
    const told = catchUp(utc("*/5 * * * *"), at("09:00:00"), at("09:31:00"));
    assert.deepEqual(told, { run: at("09:30:00"), missed: 6 });
  });

  test("are all missed where the newest is ten minutes old", () => {
    const daily = utc("0 3 * * *");
    const due = at("03:00:00");
    assert.deepEqual(catchUp(daily, due, due + 10 * minute - 1), { run: due, missed: 0 });
    assert.deepEqual(catchUp(daily, due, due + 10 * minute), { run: null, missed: 1 });
  });

  test("are counted up to a hundred, and the newest is found nevertheless", () => {
    const every = utc("* * * * *");
    const now = at("10:00:30");
    const first = now - 30_000 - MISSED_MAX * minute;
    assert.deepEqual(catchUp(every, first, now), { run: at("10:00:00"), missed: MISSED_MAX });
    const year = { run: at("10:00:00"), missed: MISSED_MAX };
    assert.deepEqual(catchUp(every, Date.parse("2025-11-30T10:00:00Z"), now), year);
    const nightly = catchUp(utc("* 3 * * *"), Date.parse("2026-11-20T03:00:00Z"), now);
    assert.deepEqual(nightly, { run: null, missed: MISSED_MAX });
  });
});
