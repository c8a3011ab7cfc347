import assert from "node:assert/strict";
import { test } from "node:test";
import { localTime, timeSince, timeUntil } from "./time.ts";
import { visibleText } from "./visible-text.ts";
import { bytes, duration, mebibytes, percent } from "./units.ts";

test("durations, sizes and shares are told in the unit that a person would choose", () => {
  const durations = [0, 0.123, 9.999, 38.4, 999, 1250, 59_999, 200_000, 3_600_000, 93_600_000];
  assert.deepEqual(durations.map(duration), [
    ...["0 ms", "0.12 ms", "10 ms", "38 ms", "999 ms", "1.25 s", "60 s"],
    ...["3 min 20 s", "1 h", "26 h"],
  ]);
  assert.deepEqual([0, 512, 1536, 12 * 2 ** 20, 1.25 * 2 ** 30].map(bytes), [
    ...["0 B", "512 B", "1.5 KiB", "12 MiB", "1.25 GiB"],
  ]);
  assert.equal(mebibytes(1536), "1.5 GiB");
  assert.deepEqual([0, 0.0012, 0.5, 1].map(percent), ["0 %", "0.12 %", "50 %", "100 %"]);
});

test("moments are told as how long ago they were, and exactly", () => {
  const at = "2026-11-24T10:00:00.123Z";
  const after = (ms: number) => timeSince(at, Date.parse(at) + ms);
  assert.deepEqual([-5000, 1000, 125_000, 7_300_000, 200_000_000].map(after), [
    ...["just now", "just now", "2 min ago", "2 h ago", "2 d ago"],
  ]);
  assert.equal(timeSince("nonsense", 0), "unknown");
  const before = (ms: number) => timeUntil(at, Date.parse(at) - ms);
  assert.deepEqual([-5000, 1000, 125_000, 7_300_000, 200_000_000].map(before), [
    ...["now", "in a minute", "in 2 min", "in 2 h", "in 2 d"],
  ]);
  assert.equal(timeUntil("nonsense", 0), "unknown");
  assert.match(localTime(at), /\(123 ms\)$/);
});

test("nothing that code has written hides or turns the rest of a line", () => {
  assert.equal(visibleText("a\tb\nc"), "a\tb\nc");
  assert.equal(visibleText("\u001b[31mred\u202etxt\r"), "\\u{1b}[31mred\\u{202e}txt\\u{d}");
});
