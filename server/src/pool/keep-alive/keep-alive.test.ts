import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { KeepAlive } from "./keep-alive.ts";
import { keepWindow } from "./keep-window.ts";
import { MINUTES_MAX, ReuseTimes } from "./reuse-times.ts";

const MINUTE_MS = 60_000;

function binsOf(counts: Record<number, number>): Uint16Array {
  const bins = new Uint16Array(MINUTES_MAX + 1);
  for (const [minute, count] of Object.entries(counts)) bins[Number(minute)] = count;
  return bins;
}

/** Calls of one second, one after the other, `gapMs` apart. */
function called(keepAlive: KeepAlive, gapMs: number, times: number, firstMs = 1000): number {
  let now = firstMs;
  for (let call = 0; call < times; call += 1) {
    keepAlive.times.rises(1, now);
    keepAlive.times.falls(1, now + 1000);
    now += 1000 + gapMs;
  }
  return now;
}

describe("idle times", () => {
  test("are counted by the minute from the end of a call to the next, not before the first", () => {
    const keepAlive = new KeepAlive();
    called(keepAlive, 90_000, 4);
    assert.equal(keepAlive.times.noted, 3);
    assert.deepEqual(keepAlive.times.bins, binsOf({ 1: 3 }));
  });

  test("of a second sandbox are those between two needs of two at once", () => {
    const times = new ReuseTimes();
    for (const at of [1000, 1000 + 10 * MINUTE_MS]) {
      times.rises(1, at);
      times.rises(2, at);
      times.falls(2, at + 1);
      times.falls(1, at + 2);
    }
    for (let at = 10 * MINUTE_MS + 2000; at < 11 * MINUTE_MS; at += 1000) {
      times.rises(1, at);
      times.falls(1, at + 1);
    }
    times.rises(1, 19.5 * MINUTE_MS);
    times.rises(2, 19.5 * MINUTE_MS);
    assert.equal(times.bins[9], 3, "both after ten minutes, the second after another ten");
  });

  test("longer than four hours are counted together", () => {
    const keepAlive = new KeepAlive();
    called(keepAlive, 300 * MINUTE_MS, 3);
    assert.deepEqual(keepAlive.times.bins, binsOf({ [MINUTES_MAX]: 2 }));
  });

  test("without end are counted by halves once they are many", () => {
    const keepAlive = new KeepAlive();
    called(keepAlive, 10, 70_000);
    assert.equal(keepAlive.times.noted, 69_999);
    const [count] = keepAlive.times.bins;
    assert.equal(count, 32_767 + 69_999 - 65_535);
  });
});

describe("the window in which a sandbox is kept", () => {
  test("is about a quarter of an hour while nothing is known, and less for more memory", () => {
    const small = keepWindow(binsOf({}), 128);
    assert.equal(small.prewarmMs, null);
    assert.ok(small.keepMs > 10 * MINUTE_MS && small.keepMs < 19.5 * MINUTE_MS);
    assert.ok(keepWindow(binsOf({}), 512).keepMs < small.keepMs);
  });

  test("lies around the call of an hourly timer, and no sandbox is kept until then", () => {
    const keepAlive = new KeepAlive();
    called(keepAlive, 60 * MINUTE_MS, 5);
    const { keepMs, prewarmMs, prewarmKeepMs } = keepAlive.window(128);
    assert.ok(keepMs <= MINUTE_MS);
    assert.ok(prewarmMs !== null && prewarmMs < 59 * MINUTE_MS && prewarmMs > 50 * MINUTE_MS);
    assert.ok(prewarmMs + prewarmKeepMs > 61 * MINUTE_MS);
  });

  test("reaches beyond the calls that come again and again", () => {
    const keepAlive = new KeepAlive();
    called(keepAlive, 25 * MINUTE_MS, 3);
    called(keepAlive, 35 * MINUTE_MS, 3, 10_000_000);
    const { keepMs, prewarmMs, prewarmKeepMs } = keepAlive.window(128);
    assert.ok((prewarmMs ?? keepMs) <= 25 * MINUTE_MS || prewarmMs === null);
    assert.ok((prewarmMs === null ? keepMs : prewarmMs + prewarmKeepMs) >= 36 * MINUTE_MS);
  });

  test("is short where calls nearly always take longer than it can be", () => {
    const { keepMs, prewarmMs } = keepWindow(binsOf({ [MINUTES_MAX]: 50 }), 128);
    assert.deepEqual([keepMs, prewarmMs], [MINUTE_MS, null]);
  });

  test("begins at once where the idle times follow no pattern", () => {
    const even = binsOf(Object.fromEntries(Array.from({ length: 60 }, (_, at) => [at, 20])));
    const { keepMs, prewarmMs } = keepWindow(even, 128);
    assert.equal(prewarmMs, null);
    assert.ok(keepMs >= 60 * MINUTE_MS);
    const falling = (_: unknown, at: number) => [at, Math.round(100 * Math.exp(-at / 20))];
    const random = binsOf(Object.fromEntries(Array.from({ length: MINUTES_MAX }, falling)));
    assert.equal(keepWindow(random, 1024).prewarmMs, null, "its last calls are none");
  });

  test("is the best there is: no other stretch from the begin is worth more", () => {
    const counts = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 241, maxLength: 241 });
    fc.assert(
      fc.property(counts, fc.integer({ min: 128, max: 10_240 }), (bins, memoryMiB) => {
        const { keepMs, prewarmMs, prewarmKeepMs } = keepWindow(Uint16Array.from(bins), memoryMiB);
        assert.ok(keepMs > 0 && prewarmKeepMs >= 0);
        const endMs = prewarmMs === null ? keepMs : prewarmMs + prewarmKeepMs;
        assert.ok(endMs <= MINUTES_MAX * MINUTE_MS * 1.1);
        if (prewarmMs !== null) {
          assert.ok(prewarmMs >= 2 * MINUTE_MS * 0.9 && prewarmMs < endMs);
          return;
        }
        const minutes = Math.round(keepMs / MINUTE_MS / 1.1);
        const most = Math.max(...valuesFromBegin(bins, memoryMiB));
        if (minutes > 1)
          assert.ok((valuesFromBegin(bins, memoryMiB)[minutes] as number) > most - 2);
      }),
    );
  });

  test("follows what is counted later", () => {
    const keepAlive = new KeepAlive();
    const before = keepAlive.window(128);
    called(keepAlive, 120 * MINUTE_MS, 8);
    assert.notDeepEqual(keepAlive.window(128), before);
  });
});

/** Calls met, less the price of 1/60 for 128 MiB a minute, by the end of the stretch; without what is believed beforehand, which counts as one call. */
function valuesFromBegin(bins: number[], memoryMiB: number): number[] {
  let left = bins.reduce((sum, count) => sum + count, 0);
  let value = 0;
  const values = [0];
  for (const hits of bins.slice(0, MINUTES_MAX)) {
    value += hits - (memoryMiB / 128 / 60) * (left - hits / 2);
    left -= hits;
    values.push(value);
  }
  return values;
}
