import assert from "node:assert/strict";
import { test } from "node:test";
import { cronProblem } from "../../../server/src/schedules/cron.ts";
import { cronOfAws } from "./cron-of-aws.ts";

const said: [expression: string, cron: string][] = [
  ["rate(1 minute)", "* * * * *"],
  ["rate(5 minutes)", "*/5 * * * *"],
  ["rate(60 minutes)", "0 * * * *"],
  ["rate(120 minutes)", "0 */2 * * *"],
  ["rate(6 hours)", "0 */6 * * *"],
  ["rate(1 day)", "0 0 * * *"],
  ["rate(7 days)", "0 0 * * 0"],
  ["cron(0 10 * * ? *)", "0 10 * * *"],
  ["cron(0\n10 * * ? *)", "0 10 * * *"],
  ["cron(15 12 * * ? *)", "15 12 * * *"],
  ["cron(0 18 ? * MON-FRI *)", "0 18 * * 1-5"],
  ["cron(0/15 * * * ? *)", "*/15 * * * *"],
  ["cron(5/10 8-17 ? * 2-6 *)", "5-59/10 8-17 * * 1-5"],
  ["cron(0 0 1,15 JAN-JUN ? *)", "0 0 1,15 1-6 *"],
  ["cron(0 0 ? * 1,7 *)", "0 0 * * 0,6"],
  ["cron(0 0 ? * SUN *)", "0 0 * * 0"],
  ["cron(0 0 L * ? *)", "0 0 L * *"],
  ["cron(0 0 15W * ? *)", "0 0 15W * *"],
  ["cron(0 0 LW * ? *)", "0 0 LW * *"],
  ["cron(0 0 ? * 6#3 *)", "0 0 * * 5#3"],
  ["cron(0 0 ? * fri#3 *)", "0 0 * * 5#3"],
  ["cron(0 0 ? * 6L *)", "0 0 * * 5L"],
  ["cron(0 0 ? * L *)", "0 0 * * 6"],
];

const unsaid: [expression: string, why: RegExp][] = [
  ["rate(7 minutes)", /divides neither .*: `\*\/6 \* \* \* \*` is the next more often/],
  ["rate(90 minutes)", /`0 \* \* \* \*` is the next/],
  ["rate(5 hours)", /`0 \*\/4 \* \* \*` is the next/],
  ["rate(2 days)", /`0 0 \* \* \*` is the next/],
  ["rate(0 minutes)", /no distance/],
  ["cron(0 0 1 1 ? 2030)", /names years.*without 2030/],
  ["cron(0 0 1 * 2 *)", /both a day of the month and one of the week/],
  ["cron(60 0 * * ? *)", /the minute 60/],
  ["cron(0 0 32W * ? *)", /the day of the month 32W/],
  ["cron(0 0 ? * 8#1 *)", /the day of the week 8#1/],
  ["cron(0 0 ? * 6#6 *)", /the day of the week 6#6/],
  ["cron(0 0 ? * FRI-MON *)", /the day of the week FRI-MON/],
  ["cron(0 0 * * *)", /neither rate/],
  ["at(2030-01-01T00:00:00)", /runs once/],
  ["every day", /neither rate/],
];

test("schedules of AWS become five fields, which the server takes", () => {
  for (const [expression, cron] of said) {
    const made = cronOfAws(expression);
    assert.ok("cron" in made, expression);
    assert.equal(made.cron, cron, expression);
    assert.equal(cronProblem(cron), null, expression);
  }
});

test("what five fields cannot say is refused with the reason", () => {
  for (const [expression, why] of unsaid) {
    const made = cronOfAws(expression);
    assert.ok("why" in made, expression);
    assert.match(made.why, why, expression);
  }
});
