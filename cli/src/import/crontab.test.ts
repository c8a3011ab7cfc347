import assert from "node:assert/strict";
import { test } from "node:test";
import { cronLineOf, cronTimesOf, crontabOf } from "./crontab.ts";

const cases: [expression: string, times: string | null][] = [
  ["rate(1 minute)", "* * * * *"],
  ["rate(5 minutes)", "*/5 * * * *"],
  ["rate(60 minutes)", "0 * * * *"],
  ["rate(120 minutes)", "0 */2 * * *"],
  ["rate(6 hours)", "0 */6 * * *"],
  ["rate(1 day)", "0 0 * * *"],
  ["rate(7 days)", "0 0 * * 0"],
  ["rate(7 minutes)", null],
  ["rate(90 minutes)", null],
  ["rate(5 hours)", null],
  ["rate(2 days)", null],
  ["rate(0 minutes)", null],
  ["cron(0 10 * * ? *)", "0 10 * * *"],
  ["cron(15 12 * * ? *)", "15 12 * * *"],
  ["cron(0 18 ? * MON-FRI *)", "0 18 * * 1-5"],
  ["cron(0/15 * * * ? *)", "*/15 * * * *"],
  ["cron(5/10 8-17 ? * 2-6 *)", "5-59/10 8-17 * * 1-5"],
  ["cron(0 0 1,15 JAN-JUN ? *)", "0 0 1,15 1-6 *"],
  ["cron(0 0 ? * 1,7 *)", "0 0 * * 0,6"],
  ["cron(0 0 ? * SUN *)", "0 0 * * 0"],
  ["cron(0 0 L * ? *)", null],
  ["cron(0 0 ? * 6#3 *)", null],
  ["cron(0 0 15W * ? *)", null],
  ["cron(0 0 1 1 ? 2030)", null],
  ["cron(0 0 1 * 2 *)", null],
  ["cron(60 0 * * ? *)", null],
  ["cron(0 0 * * *)", null],
  ["at(2030-01-01T00:00:00)", null],
  ["every day", null],
];

test("schedules of AWS become the five fields of a crontab, or nothing where these cannot say it", () => {
  for (const [expression, times] of cases) assert.equal(cronTimesOf(expression), times, expression);
});

test("nothing of an event reaches the shell or the crontab", () => {
  const input = { text: "'; rm -rf / #\n%" };
  const schedule = { place: "a", expression: "rate(1 minute)", timeZone: null, input };
  const made = cronLineOf(schedule, "fn");
  assert.ok(typeof made === "object");
  assert.equal(
    made.line,
    `* * * * * node "$ISOLA_CLI" invoke fn --event '{"text":"'\\''; rm -rf / #\\n\\%"}'`,
  );
  const folded = cronLineOf({ ...schedule, expression: "cron(0\n10 * * ? *)" }, "fn");
  assert.ok(typeof folded === "object");
  const crontab = crontabOf([folded], "/opt/isola/cli/isola.mjs", "a\n* * * * * evil.yml");
  assert.deepEqual(
    crontab.split("\n").filter((line) => /^[^#A-Z]/.test(line)),
    [folded.line],
  );
  const named = cronLineOf({ ...schedule, input: 1 }, "fn", "shop");
  assert.ok(
    typeof named === "object" && named.line.endsWith("invoke fn --project shop --event '1'"),
  );
  assert.match(
    String(cronLineOf({ ...schedule, input: "x".repeat(1000) }, "fn")),
    /too long for a crontab/,
  );
  assert.match(String(cronLineOf({ ...schedule, timeZone: "UTC\nevil" }, "fn")), /no time zone/);
});
