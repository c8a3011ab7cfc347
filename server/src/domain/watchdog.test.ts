import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../pool/testing/manual-clock.ts";
import { Watchdog } from "./watchdog.ts";

/** A watchdog that asks every 100 ms and takes 1 s of silence for a stall; its clock is moved by hand. */
function watching() {
  const clock = new ManualClock();
  const seen = { pings: 0, stalls: [] as number[] };
  const watchdog = new Watchdog({
    clock,
    pingMs: 100,
    stallMs: 1000,
    ping: () => {
      seen.pings += 1;
    },
    onStall: (silentMs) => seen.stalls.push(silentMs),
  });
  return { clock, seen, watchdog };
}

/** Time in which the watchdog runs. */
function pass(clock: ManualClock, ms: number): void {
  for (let at = 0; at < ms; at += 100) clock.advance(100);
}

test("an answer within the period is no stall, however often it happens", () => {
  const { clock, seen, watchdog } = watching();
  for (let turn = 0; turn < 20; turn += 1) {
    pass(clock, 900);
    watchdog.heard();
  }
  assert.deepEqual(seen.stalls, []);
  assert.equal(seen.pings, 181);
});

test("silence for the whole period is told once, and nothing is asked afterwards", () => {
  const { clock, seen } = watching();
  pass(clock, 900);
  assert.deepEqual(seen.stalls, []);
  pass(clock, 5000);
  assert.deepEqual(seen.stalls, [1000]);
  assert.equal(seen.pings, 10);
});

test("time in which the watchdog did not run itself gives the other a full period again", () => {
  const { clock, seen } = watching();
  pass(clock, 900);
  clock.skip(30_000);
  clock.advance(0);
  pass(clock, 900);
  assert.deepEqual(seen.stalls, []);
  pass(clock, 100);
  assert.deepEqual(seen.stalls, [1000]);
});

test("a closed watchdog tells nothing", () => {
  const { clock, seen, watchdog } = watching();
  watchdog.close();
  pass(clock, 5000);
  assert.deepEqual(seen, { pings: 1, stalls: [] });
});
