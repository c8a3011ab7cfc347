import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../domain/clock.ts";
import { quiet } from "./control-plane.fixture.ts";
import { Janitor } from "./janitor.ts";
import { Recorder } from "./recorder.ts";

const batch = (number: number) => ({
  ...{ source: "gateway", batch: number, invocations: null, logs: [], lost: 0 },
});

/** Time that passes when the test says so. */
function handClock() {
  const timers: { delayMs: number; run: () => void }[] = [];
  const clock: Clock = {
    now: () => 0,
    wall: () => 1_000_000,
    after: (delayMs, run) => {
      const timer = { delayMs, run };
      timers.push(timer);
      return () => {
        const at = timers.indexOf(timer);
        if (at !== -1) timers.splice(at, 1);
      };
    },
  };
  return { clock, timers };
}

describe("the recorder", () => {
  test("tries a batch four times with longer and longer pauses, then leaves it to the gateway", async () => {
    let attempts = 0;
    const waits: number[] = [];
    const clock: Clock = {
      ...handClock().clock,
      after: (delayMs, run) => {
        waits.push(delayMs);
        queueMicrotask(run);
        return () => {};
      },
    };
    const store = {
      recordBatch: async () => {
        attempts += 1;
        throw new Error("the disk is full");
      },
    };
    const recorder = new Recorder({ store, clock, log: quiet });
    await assert.rejects(recorder.record(batch(1)), /disk is full/);
    assert.equal(attempts, 4);
    assert.deepEqual(waits, [50, 200, 800]);
  });

  test("stores batches in the order they came, and refuses more than 64 that wait", async () => {
    const held = Promise.withResolvers<void>();
    let stored = 0;
    const store = {
      recordBatch: async () => {
        await held.promise;
        stored += 1;
        return { invocations: null, logs: [], events: [] };
      },
    };
    const recorder = new Recorder({ store, clock: handClock().clock, log: quiet });
    const all = Array.from({ length: 64 }, (_, at) => recorder.record(batch(at)));
    await assert.rejects(recorder.record(batch(64)), { code: "not_ready" });
    held.resolve();
    await Promise.all(all);
    await recorder.record(batch(65));
    assert.equal(stored, 65);
    await recorder.close();
    await assert.rejects(recorder.record(batch(66)), { code: "not_ready" });
  });
});

describe("the janitor", () => {
  test("trims in every round, removes unused code in every tenth, and goes on after failures", async () => {
    const { clock, timers } = handClock();
    const trims: unknown[] = [];
    const layerTrims: unknown[] = [];
    const logTrims: unknown[] = [];
    const metricTrims: unknown[] = [];
    const metricsKept = { minutesKeptMinutes: 1, hoursKeptMinutes: 2, daysKeptMinutes: 3 };
    let collections = 0;
    let rollUps = 0;
    const janitor = new Janitor({
      store: {
        trimRecords: async (bounds) => {
          trims.push(bounds);
          throw new Error("busy");
        },
        trimLogs: async (bounds) => {
          logTrims.push(bounds);
          return 0;
        },
        trimEvents: async (bounds) => {
          logTrims.push(bounds);
          return 0;
        },
        trimBuilds: async () => 0,
        rollUpMetrics: async () => (rollUps += 1),
        trimMetrics: async (kept) => void metricTrims.push(kept),
        trimLayers: async (bounds) => {
          layerTrims.push(bounds);
          return 0;
        },
      },
      collectGarbage: async () => {
        collections += 1;
        throw new Error("busy");
      },
      ...{ clock, log: quiet },
      bounds: {
        ...{ invocationsMax: 10, keptMs: 1000, layersBytesMax: 5 },
        ...{ logLinesMax: 20, logBytesMax: 30, logKeptMs: 500, eventsMax: 40, metricsKept },
      },
    });
    janitor.start();
    janitor.start();
    for (let round = 0; round < 11; round++) {
      assert.equal(timers.length, 1);
      const timer = timers.pop();
      assert.equal(timer?.delayMs, 60_000);
      timer?.run();
      for (let turns = 0; turns < 5; turns++) await turn();
    }
    assert.equal(trims.length, 11);
    assert.deepEqual(trims[0], { invocationsMax: 10, before: 999_000 });
    assert.deepEqual(logTrims.slice(0, 2), [
      { linesMax: 20, bytesMax: 30, before: 999_500 },
      { eventsMax: 40, before: 999_000 },
    ]);
    assert.equal(logTrims.length, 22);
    assert.equal(collections, 2);
    assert.equal(rollUps, 11);
    assert.deepEqual(metricTrims, [metricsKept]);
    await janitor.close();
    assert.equal(timers.length, 0);
  });
});
