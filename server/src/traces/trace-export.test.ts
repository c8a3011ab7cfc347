import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { PlatformEvent } from "../domain/events.ts";
import type { InvocationRecord } from "../domain/invocation.ts";
import { ManualClock } from "../pool/testing/manual-clock.ts";
import { chunkOf } from "../records/chunk-writer.ts";
import { tracedRecord } from "./testing-record.fixture.ts";
import { TraceExport } from "./trace-export.ts";

function open() {
  const clock = new ManualClock();
  const events: PlatformEvent[] = [];
  const warnings: [object, string][] = [];
  /** Under way, oldest first. */
  const sends: { records: InvocationRecord[]; taken(): void; refused(reason: string): void }[] = [];
  const traces = new TraceExport({
    clock,
    events: { add: (event) => events.push(event) },
    log: { warn: (fields, message) => warnings.push([fields, message]) },
    sender: {
      send: (records) =>
        new Promise((resolve, reject) => {
          sends.push({
            records,
            taken: () => resolve(),
            refused: (reason) => reject(new Error(reason)),
          });
        }),
    },
  });
  return { traces, clock, events, warnings, sends };
}

const many = (count: number) => chunkOf(Array.from({ length: count }, () => tracedRecord()));
const settle = async () => {
  for (let turns = 0; turns < 5; turns += 1) await turn();
};

describe("traces of calls", () => {
  test("are sent as they come, those that are sampled", async () => {
    const { traces, sends } = open();
    const sampled = tracedRecord();
    const traceId = "1".repeat(32);
    const not = tracedRecord({ trace: { traceId, runSpanId: null, parentSpanId: null } });
    traces.take(chunkOf([not, sampled, tracedRecord({ trace: null })]));
    traces.take(chunkOf([not, tracedRecord({ trace: null })]));
    traces.take(chunkOf([tracedRecord({ trace: null })]));
    assert.equal(sends.length, 1);
    assert.deepEqual(sends[0]?.records, [sampled]);
    sends[0]?.taken();
    await settle();
    assert.deepEqual(traces.counts, { callsExported: 1, callsLost: 0 });
  });

  test("wait in bounds for a collector that is slow, and beyond them are lost", async () => {
    const { traces, sends } = open();
    for (let at = 0; at < 10; at += 1) traces.take(many(1000));
    const underWay = sends.reduce((sum, { records }) => sum + records.length, 0);
    assert.equal(sends.length, 4);
    assert.equal(underWay, 4 * 128);
    assert.equal(traces.counts.callsLost, 10_000 - 8192 - underWay);
    for (let at = 0; at < sends.length; at += 1) {
      assert.ok((sends[at]?.records.length ?? 0) <= 128);
      sends[at]?.taken();
      await settle();
    }
    assert.equal(traces.counts.callsExported, 8192 + underWay);
    assert.equal(sends.length, (8192 + underWay) / 128);
  });

  test("with long texts wait in bounds of characters, and again once there is room", async () => {
    const { traces, sends } = open();
    const long = () =>
      chunkOf(Array.from({ length: 128 }, () => tracedRecord({ path: `/${"x".repeat(16_383)}` })));
    for (let at = 0; at < 4 + 8 + 1; at += 1) traces.take(long());
    assert.equal(traces.counts.callsLost, 128, "8 batches of 2 MiB wait behind the 4 under way");
    sends[0]?.taken();
    await settle();
    traces.take(long());
    assert.equal(traces.counts.callsLost, 128);
  });

  test("that are lost are counted, and told at once, then once a minute", async () => {
    const { traces, sends, events, warnings, clock } = open();
    const fail = async (calls: number, reason: string) => {
      traces.take(many(calls));
      sends.at(-1)?.refused(reason);
      await settle();
    };
    await fail(2, "connect ECONNREFUSED");
    await fail(3, "still");
    await fail(4, "401");
    assert.deepEqual(
      events.map(({ kind, fields }) => [kind, fields]),
      [["traces_lost", { calls: 2, reason: "connect ECONNREFUSED" }]],
    );
    clock.advance(60_000);
    assert.deepEqual(events[1]?.fields, { calls: 7, reason: "401" });
    clock.advance(120_000);
    assert.equal(events.length, 2, "nothing was lost since");
    await fail(1, "again");
    assert.deepEqual(events[2]?.fields, { calls: 1, reason: "again" });
    assert.equal(warnings.length, 3);
    assert.deepEqual(traces.counts, { callsExported: 0, callsLost: 10 });
  });

  test("are sent before the end", async () => {
    const { traces, sends, clock } = open();
    traces.take(many(600));
    const closed = traces.close();
    for (let at = 0; at < sends.length; at += 1) {
      sends[at]?.taken();
      await settle();
    }
    await closed;
    assert.deepEqual(traces.counts, { callsExported: 600, callsLost: 0 });
    assert.equal(clock.timers, 0);
    traces.take(many(1));
    assert.equal(traces.counts.callsLost, 1, "what comes later is lost");
    await traces.close();
  });

  test("that a collector does not take by then are lost, and said", async () => {
    const { traces, warnings, clock } = open();
    traces.take(many(600));
    const closed = traces.close();
    clock.advance(2000);
    await closed;
    assert.deepEqual(traces.counts, { callsExported: 0, callsLost: 600 });
    assert.deepEqual(warnings.at(-1)?.[0], { calls: 600 });
  });
});
