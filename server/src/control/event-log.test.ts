import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type PlatformEvent, eventOf } from "../domain/events.ts";
import { ManualClock } from "../pool/testing/manual-clock.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import { EventLog } from "./event-log.ts";

function openLog() {
  const clock = new ManualClock();
  const state = { isFull: false, batches: [] as RecordBatch[], attempts: 0 };
  const log = new EventLog({
    clock,
    record: async (batch) => {
      state.attempts += 1;
      if (state.isFull) throw new Error("the disk is full");
      state.batches.push(batch);
    },
  });
  const pass = async (ms: number) => {
    clock.advance(ms);
    for (let turns = 0; turns < 5; turns += 1) await turn();
  };
  const stored = (): PlatformEvent[] => state.batches.flatMap(({ events = [] }) => events);
  return { log, state, pass, stored };
}

const event = (at: number) => eventOf("control_started", at, { pid: at });

test("events go to the store together, a moment after they happened, under numbers that grow", async () => {
  const { log, state, pass } = openLog();
  log.add(event(1));
  log.add(event(2));
  assert.equal(state.attempts, 0, "nobody waits for them");
  await pass(100);
  log.add(event(3));
  await pass(100);
  assert.deepEqual(
    state.batches.map(({ batch, events }) => [batch, events]),
    [
      [1, [event(1), event(2)]],
      [2, [event(3)]],
    ],
  );
  assert.equal(state.batches[0]?.source, state.batches[1]?.source);
});

test("a batch that could not be stored is sent again as it was, and what is too much is told", async () => {
  const { log, state, pass, stored } = openLog();
  state.isFull = true;
  log.add(event(0));
  await pass(100);
  for (let at = 1; at <= 1005; at += 1) log.add(event(at));
  await pass(5000);
  assert.equal(state.attempts, 2);
  state.isFull = false;
  await pass(5000);
  await pass(100);
  assert.deepEqual(
    state.batches.map(({ batch, events }) => [batch, events?.length]),
    [
      [1, 1],
      [2, 1001],
    ],
  );
  assert.deepEqual(stored().at(-1)?.fields, { invocations: 0, logs: 0, events: 5 });
});

test("what waits at the end is stored, and nothing afterwards", async () => {
  const { log, state, pass, stored } = openLog();
  log.add(event(1));
  await log.close();
  assert.deepEqual(stored(), [event(1)]);
  log.add(event(2));
  await pass(10_000);
  assert.equal(state.attempts, 1);
});
