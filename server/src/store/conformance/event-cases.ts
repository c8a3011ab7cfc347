import assert from "node:assert/strict";
import { test } from "node:test";
import { type PlatformEvent, eventOf } from "../../domain/events.ts";
import type { RecordBatch } from "../../records/record-batch.ts";
import type { EventQuery } from "../store.ts";
import { batchOf, openFor, readAll, withoutSeq, type OpenStore } from "./fixture.ts";

const owner = { project: "default", name: "hello" };
const deleted = (at: number, of = owner) => eventOf("function_deleted", at, { key: "k" }, of);
const started = (at: number) => eventOf("gateway_started", at, { pid: at, drivers: "process" });

function batch(events: PlatformEvent[]): RecordBatch {
  return { ...batchOf([]), events };
}

export function eventCases(open: OpenStore): void {
  test("events are kept once, and read back by kind, function and time in both directions", async (t) => {
    const { store } = await openFor(t, open);
    const events = [
      started(1),
      deleted(2),
      deleted(3, { project: "default", name: "other" }),
      deleted(4, { project: "second", name: "hello" }),
      started(5),
    ];
    const twice = batch(events);
    const stored = await store.recordBatch(twice);
    assert.deepEqual(stored.events.map(withoutSeq), events);
    assert.deepEqual((await store.recordBatch(twice)).events, []);
    const times = async (filter: Partial<EventQuery>) =>
      (await store.listEvents({ project: "default", limit: 9, ...filter })).items.map(
        ({ at }) => at,
      );
    assert.deepEqual(await times({}), [1, 2, 3, 5]);
    assert.deepEqual(await times({ newestFirst: true }), [5, 3, 2, 1]);
    assert.deepEqual(await times({ kinds: ["gateway_started"] }), [1, 5]);
    assert.deepEqual(await times({ functionName: "hello" }), [2]);
    assert.deepEqual(await times({ project: "second" }), [1, 4, 5]);
    assert.deepEqual(await times({ since: 2, until: 5 }), [2, 3]);
    const page = await store.listEvents({ project: "default", limit: 9 });
    assert.deepEqual(
      page.items,
      stored.events.filter(({ at }) => at !== 4),
    );
    const [first, last] = [stored.events[0]?.seq as number, stored.events[4]?.seq as number];
    const behind = await store.eventsBehind({ project: "default" }, { seq: first, eventsMax: 2 });
    assert.deepEqual(
      behind.items.map(({ at }) => at),
      [5],
    );
    assert.deepEqual([behind.last, behind.passedOver], [last, 2]);
  });

  test("events are dropped oldest first, by age and number", async (t) => {
    const { store } = await openFor(t, open);
    const count = 2300; // several steps
    for (let at = 0; at < count; at += 100)
      await store.recordBatch(batch(Array.from({ length: 100 }, (_, one) => started(at + one))));
    assert.equal(await store.trimEvents({ eventsMax: count, before: 0 }), 0);
    assert.equal(await store.trimEvents({ eventsMax: count, before: 1100 }), 1100);
    assert.equal(await store.trimEvents({ eventsMax: 50, before: 0 }), 1150);
    const query = { project: "default", limit: 20 };
    const left = await readAll((cursor) => store.listEvents({ ...query, cursor }));
    assert.deepEqual([left.length, left[0]?.at], [50, count - 50]);
  });
}
