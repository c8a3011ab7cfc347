import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cronProblem, describeCron, nextDue, plainCron } from "./cron.ts";

/** The moments that follow, as the clock of the time zone shows them. */
function dues(cron: string, timeZone: string, from: string, count: number): string[] {
  let at = Date.parse(from);
  return Array.from({ length: count }, () => {
    at = nextDue(cron, timeZone, at) ?? Number.NaN;
    return new Date(at).toISOString().slice(0, 16);
  });
}

describe("a cron expression", () => {
  for (const cron of [
    ...["* * * * *", "0 3 * * *", "*/5 8-18 * * MON-FRI", "0 0 1,15 * *", "0 0 * JAN-MAR 7"],
    ...["0 0 L * *", "0 0 15W * *", "0 0 LW * *", "0 0 * * MON#2", "0 0 * * 5L", "0 0 29 2 *"],
    ...["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"],
    ...[" 0\t3  * * * ", "0 0 * * MON-SUN", "0 0 L,15 * *", "0 0 * * mon#2,FRI#L", "0 0 * * 6-7"],
  ])
    test(`is ${JSON.stringify(cron)}`, () => assert.equal(cronProblem(cron), null));

  for (const cron of [
    ...["", " ", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8"],
    ...["a b c d e", "5/5 * * * *", "1-5,,3 * * * *", "5-1 * * * *", "*/0 * * * *", "H * * * *"],
    ...["? * * * *", "0 0 13 * +FRI", "0 0 * * MON#6", "2026-01-01T00:00:00", "rate(5 minutes)"],
    ...["@reboot", "@DAILY", "@every 5m", "0 3 * * *\0", "0 3 * * é", "-1 * * * *"],
  ])
    test(`is not ${JSON.stringify(cron)}`, () =>
      assert.match(cronProblem(cron) ?? "", /^five fields, as 0 3 \* \* \*, or one of @hourly/));

  const wrong: Record<string, RegExp> = {
    "0 25 * * *": /; the hour is 0 to 23, not 25$/,
    "0 4 0 * *": /; the day of the month is 1 to 31, not 0$/,
    "0 4 32W * *": /; the day of the month is 1 to 31, not 32$/,
    "0 4 * * MON-": /; the day of the week cannot be MON-$/,
    "0 4 * FOO *": /; the month is 1 to 12 or JAN to DEC, not FOO$/,
    "0 4 * * MON#6": /; of a day of the week a month has 1 to 5, not 6$/,
    "0 4 * * FUN#1": /; the day of the week is 0 to 7 or SUN to SAT, not FUN$/,
    "0 4 ? * *": /; any day of the month is \*, not \?$/,
    "5/10 * * * *": /; a step goes with \* or a range: 5-59\/10, not 5\/10$/,
    "*/0 * * * *": /; a step is a whole number from 1 on, in the minute not 0$/,
    "*/5/2 * * * *": /; the minute cannot be \*\/5\/2$/,
    "1,,2 * * * *": /; the minute has a comma with nothing before or after it$/,
    "0 17-9 * * *": /; 17-9 of the hour ends before it begins$/,
  };
  for (const [cron, text] of Object.entries(wrong))
    test(`${cron} is told what is wrong in which field`, () =>
      assert.match(cronProblem(cron) ?? "", text));

  test("with seconds or years is told that these cannot be given", () => {
    for (const cron of ["0 0 3 * * *", "0 0 3 * * * 2030"])
      assert.match(cronProblem(cron) ?? "", /seconds and years cannot be given$/);
  });

  test("of a day that never comes is told so", () => {
    for (const cron of ["0 0 30 2 *", "0 0 31 4,6 *", "0 0 31 2,4,6,9,11 *"])
      assert.match(cronProblem(cron) ?? "", /^a day that comes/);
  });

  test("is kept with single blanks, and told in words", () => {
    assert.equal(plainCron(" 0\t3  * * * "), "0 3 * * *");
    assert.equal(describeCron("0 3 * * *"), "At 03:00");
    assert.equal(describeCron("@hourly"), "Every hour");
    assert.equal(describeCron("0 0 * * FRI#L"), "0 0 * * FRI#L");
  });
});

describe("due moments", () => {
  test("come behind a moment, never at it, and at whole minutes", () => {
    assert.deepEqual(dues("*/20 * * * *", "UTC", "2026-11-30T10:00:00.000Z", 2), [
      ...["2026-11-30T10:20", "2026-11-30T10:40"],
    ]);
    assert.equal(nextDue("* * * * *", "UTC", 59_999), 60_000);
    assert.equal(nextDue("* * * * *", "UTC", 60_000), 120_000);
    assert.equal(nextDue("* * * * *", "UTC", 60_000.5), 120_000);
  });

  test("in the hour that summer time leaves out come at its end, once", () => {
    assert.deepEqual(dues("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3), [
      ...["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    ]);
    assert.deepEqual(dues("30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 3), [
      ...["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:30"],
    ]);
  });

  test("in the hour that comes twice in autumn come once", () => {
    assert.deepEqual(dues("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 3), [
      ...["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"],
    ]);
    assert.deepEqual(dues("30 2,14 * * *", "Europe/Berlin", "2026-10-24T12:30:00Z", 3), [
      ...["2026-10-25T00:30", "2026-10-25T13:30", "2026-10-26T01:30"],
    ]);
    assert.deepEqual(dues("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2), [
      ...["2026-11-01T05:30", "2026-11-02T06:30"],
    ]);
  });

  test("of every hour or some minutes go on at their distance through both changes", () => {
    assert.deepEqual(dues("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3), [
      ...["2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"],
    ]);
    assert.deepEqual(dues("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4), [
      ...["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00"],
    ]);
  });

  test("of half-hour time zones are those of their clock", () => {
    assert.deepEqual(dues("0 9 * * *", "Asia/Kolkata", "2026-11-30T00:00:00Z", 1), [
      "2026-11-30T03:30",
    ]);
    assert.deepEqual(dues("30 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 3), [
      ...["2026-10-03T15:30", "2026-10-04T15:30", "2026-10-05T15:30"],
    ]);
  });
});
