import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkSchedules } from "./check-schedules.ts";

const one = { name: "nightly", cron: "0 3 * * *" };
const told = (schedules: unknown) =>
  checkSchedules(schedules).map(({ path, expected, given }) => `${path}: ${expected} / ${given}`);

describe("schedules", () => {
  test("are taken with everything given, and with nothing but name and cron", () => {
    const full = {
      ...one,
      name: "b",
      timeZone: "Europe/Berlin",
      event: { a: [1] },
      enabled: false,
    };
    assert.deepEqual(told([one, full]), []);
    assert.deepEqual(told([]), []);
    assert.deepEqual(told([{ ...one, event: null }]), []);
  });

  test("are each told what is wrong with them, by place", () => {
    const zone = { ...one, name: "b", timeZone: "Europe/Atlantis" };
    const cron = { ...one, name: "c", cron: "0 3 * *" };
    assert.deepEqual(
      checkSchedules([one, zone, cron]).map(({ path }) => path),
      ["schedules[1].timeZone", "schedules[2].cron"],
    );
    assert.match(told([one, zone])[0] ?? "", /as Europe\/Berlin or UTC \/ "Europe\/Atlantis"$/);
  });

  for (const timeZone of ["+02:00", "Z", "UTC+2", "Europe/Berlin ", "a\n", "..", "é"])
    test(`have no time zone ${JSON.stringify(timeZone)}`, () =>
      assert.equal(told([{ ...one, timeZone }]).length, 1));

  test("have different names", () => {
    assert.deepEqual(told([one, { ...one, name: "b" }, one]), [
      'schedules[2].name: a name that schedules[0] does not have / "nightly"',
    ]);
  });

  test("have events of 64 KiB in all, counted as JSON in bytes", () => {
    const event = (bytes: number) => "é".repeat((bytes - 2) / 2);
    const both = (first: number, second: number) => [
      { ...one, event: event(first) },
      { ...one, name: "b", event: event(second) },
    ];
    assert.deepEqual(told(both(32_768, 32_768)), []);
    assert.deepEqual(told(both(32_768, 32_770)), [
      "schedules: events of at most 65536 bytes of JSON in all / 65538 bytes",
    ]);
  });

  test("have events of 100 levels, and one as deep as a body may be is refused alike", () => {
    const nested = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels));
    assert.deepEqual(told([{ ...one, event: nested(100) }]), []);
    for (const levels of [101, 400_000])
      assert.deepEqual(told([one, { ...one, name: "b", event: nested(levels) }]), [
        "schedules[1].event: JSON of at most 100 levels / more",
      ]);
  });

  test("that the schema refuses are left to it", () => {
    for (const schedules of [null, "x", [null], [1], [{ name: 1, cron: 2, timeZone: 3 }]])
      assert.deepEqual(told(schedules), []);
    assert.deepEqual(told([{ ...one, cron: "x".repeat(500_000) }]), []);
    assert.deepEqual(told(Array.from({ length: 21 }, () => one)), []);
  });
});
