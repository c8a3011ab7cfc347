import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { spansOf } from "./call-spans.ts";
import { tracedRecord } from "./testing-record.fixture.ts";

const startedAt = 1_700_000_000_000;

/** Name, begin and end after admission, in ms. */
function times(change: Parameters<typeof tracedRecord>[0]): [string, number, number][] {
  const spans = spansOf(tracedRecord(change));
  return spans.map(({ name, startMs, endMs }) => [name, startMs - startedAt, endMs - startedAt]);
}

describe("the spans of a call", () => {
  test("follow one another within its own", () => {
    const cold = { totalMs: 100, queueMs: 10, startMs: 20, initMs: 30, runMs: 35 };
    assert.deepEqual(times({ ...cold, startKind: "cold" }), [
      ["f", 0, 100],
      ["queue", 0, 10],
      ["start", 10, 30],
      ["init", 30, 60],
      ["run", 65, 100],
    ]);
  });

  test("are those of what took place", () => {
    assert.deepEqual(
      times({ totalMs: 20, runMs: 20 }).map(([name]) => name),
      ["f", "run"],
    );
    const refused = { totalMs: 5, queueMs: 5, runMs: null, startKind: null, sandboxId: null };
    assert.deepEqual(
      times(refused).map(([name]) => name),
      ["f", "queue"],
    );
    assert.deepEqual(spansOf(tracedRecord({ trace: null })), []);
    const traceId = "1".repeat(32);
    const unsampled = { traceId, runSpanId: null, parentSpanId: null };
    assert.deepEqual(spansOf(tracedRecord({ trace: unsampled })), []);
  });

  test("lie within its own and one after the other, whatever was measured", () => {
    const ms = fc.double({ min: 0, max: 1000, noNaN: true });
    const orNull = fc.option(ms);
    const phases = fc.record({
      ...{ totalMs: ms, queueMs: ms, startMs: orNull, initMs: orNull, runMs: orNull },
      responseMs: orNull,
    });
    fc.assert(
      fc.property(phases, (measured) => {
        const [own, ...parts] = spansOf(tracedRecord(measured));
        assert.ok(own);
        let atMs = own.startMs;
        for (const { startMs, endMs, parentSpanId, traceId, events } of parts) {
          assert.ok(startMs >= atMs && endMs >= startMs && endMs <= own.endMs);
          assert.equal(parentSpanId, own.spanId);
          assert.equal(traceId, own.traceId);
          for (const event of events) assert.ok(event.atMs >= startMs && event.atMs <= endMs);
          atMs = endMs;
        }
        const ids = [own, ...parts].map(({ spanId }) => spanId);
        assert.equal(new Set(ids).size, ids.length);
        for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/);
      }),
    );
  });

  test("have an error where the function or the platform failed, and not where the caller did", () => {
    const errorOf = (change: Parameters<typeof tracedRecord>[0]) =>
      spansOf(tracedRecord(change)).map(({ error }) => error);
    const failed = { errorCode: "x", errorMessage: "it broke" };
    assert.deepEqual(errorOf({ outcome: "crash", status: 502, ...failed }), [
      "it broke",
      "it broke",
    ]);
    assert.deepEqual(errorOf({ outcome: "timeout", status: 200, ...failed }), [
      "it broke",
      "it broke",
    ]);
    assert.deepEqual(errorOf({ outcome: "ok", status: 500 }), ["", ""]);
    assert.deepEqual(errorOf({ outcome: "ok", status: 404 }), [null, null]);
    assert.deepEqual(errorOf({ outcome: "cancelled", status: 0, ...failed }), [null, null]);
    assert.deepEqual(errorOf({ outcome: "platform_error", status: 413, ...failed }), [null, null]);
    const long = { outcome: "crash", status: 502, errorMessage: "x".repeat(5000) } as const;
    assert.equal(errorOf(long)[0]?.length, 1000);
  });
});
