import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { idSource } from "../domain/ids.ts";
import { type InvocationRecord, outcomes } from "../domain/invocation.ts";
import { ChunkWriter, chunkOf } from "./chunk-writer.ts";
import { slicesOf } from "./chunk-slices.ts";
import { InvocationChunk } from "./invocation-chunk.ts";

const newId = idSource("inv");

function record(change: Partial<InvocationRecord> = {}): InvocationRecord {
  return {
    ...{ id: newId(), project: "default", functionName: "f", functionId: "fn-1", revision: 1 },
    ...{ driver: "process", runtime: "nodejs26", startKind: "warm", sandboxId: "sb-1" },
    ...{ outcome: "ok", errorCode: null, errorMessage: null, status: 200, method: "GET" },
    ...{ path: "/f", startedAt: 1_700_000_000_000, totalMs: 1.5, queueMs: 0.25, startMs: null },
    ...{ initMs: null, runMs: 1.25, requestBytes: 0, responseBytes: 9, killMs: null },
    ...{ memoryMiB: 128, responseMs: 0, cpuMs: null, memoryPeakBytes: null, trace: null },
    ...change,
  };
}

const text = fc.string({ unit: "binary", maxLength: 9 });
const few = (...values: string[]) => fc.oneof(...values.map((value) => fc.constant(value)), text);
const bytes = fc.oneof(fc.nat(300), fc.nat(70_000), fc.maxSafeNat());
const ms = fc.oneof(fc.nat(70_000_000), fc.nat(200), fc.nat(2 ** 40)).map((n) => n / 1000);
const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const hex = (digits: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`)).filter((id) => /[^0]/.test(id));
const anyTrace = fc.record(
  { traceId: hex(32), runSpanId: orNull(hex(16)), parentSpanId: orNull(hex(16)) },
  { noNullPrototype: true },
);
const anyRecord: fc.Arbitrary<InvocationRecord> = fc.record(
  {
    id: fc.oneof(fc.constant(null), text).map((id) => id ?? newId()),
    project: few("default"),
    functionName: few("f", "g"),
    functionId: few("fn-1", "fn-2"),
    revision: fc.nat(3),
    driver: few("process"),
    runtime: few("nodejs26"),
    startKind: orNull(fc.constantFrom("cold", "restored", "prewarmed", "warm")),
    sandboxId: orNull(few("sb-1")),
    outcome: fc.constantFrom(...outcomes),
    errorCode: orNull(few("function_error")),
    errorMessage: orNull(text),
    status: fc.nat(599),
    method: few("GET", ""),
    path: text,
    startedAt: fc.oneof(fc.maxSafeNat(), fc.double({ noNaN: true, min: 0, max: 2e12 })),
    totalMs: ms,
    queueMs: ms,
    startMs: orNull(ms),
    initMs: orNull(ms),
    runMs: orNull(ms),
    requestBytes: bytes,
    responseBytes: bytes,
    killMs: orNull(ms),
    memoryMiB: orNull(fc.nat(10_240)),
    responseMs: orNull(ms),
    cpuMs: orNull(ms),
    memoryPeakBytes: orNull(bytes),
    trace: orNull(anyTrace),
  },
  { noNullPrototype: true },
);

describe("a chunk of invocations", () => {
  test("gives back every record as it was", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 40 }), (records) => {
        assert.deepEqual(new InvocationChunk(chunkOf(records)).records(), records);
      }),
    );
  });

  test("keeps measured times to the microsecond", () => {
    const [read] = new InvocationChunk(chunkOf([record({ totalMs: 0.123_456_7 })])).records();
    assert.equal(read?.totalMs, 0.123);
  });

  test("finds a record by its id, and no other", () => {
    for (const ids of [Array.from({ length: 300 }, newId), ["inv-1", newId(), "x"]]) {
      const chunk = new InvocationChunk(chunkOf(ids.map((id) => record({ id }))));
      const { first, last } = chunk.idBounds;
      for (const [at, id] of ids.entries()) {
        assert.equal(chunk.indexOf(id), at);
        assert.ok(first <= id && id <= last, `${first} ${id} ${last}`);
        for (const other of [`${id}!`, `x${id}`, id.toUpperCase().replace("X", "-")])
          assert.equal(chunk.indexOf(other), -1);
      }
      assert.equal(chunk.indexOf(newId()), -1);
    }
  });

  test("finds no id of another source that has the same number", () => {
    const other = idSource("inv");
    const chunk = new InvocationChunk(chunkOf([record({ id: other() })]));
    assert.equal(chunk.indexOf(idSource("inv")()), -1);
  });

  test("of a writer that is used again holds what was added since", () => {
    const writer = new ChunkWriter(3);
    const records = Array.from({ length: 7 }, (_, at) =>
      record({
        ...{ path: `/${at}`, functionId: `fn-${at}`, startMs: at % 2 === 0 ? null : at },
        trace:
          at % 2 === 0
            ? null
            : { traceId: `${at}`.repeat(32), runSpanId: null, parentSpanId: null },
      }),
    );
    const read = [];
    for (const one of records) {
      writer.add(one);
      if (writer.isFull) read.push(...new InvocationChunk(writer.take()).records());
    }
    assert.equal(writer.count, 1);
    read.push(...new InvocationChunk(writer.take()).records());
    assert.deepEqual(read, records);
  });

  test("says the functions and outcomes it holds, with their times and numbers", () => {
    const records = [
      record({ startedAt: 20 }),
      record({ startedAt: 10, revision: 2 }),
      record({ startedAt: 30, outcome: "timeout" }),
      record({ startedAt: 40, functionName: "g" }),
      record({ startedAt: 50, project: "second" }),
    ];
    const told = slicesOf(new InvocationChunk(chunkOf(records))).map(
      (one) =>
        `${one.project}/${one.functionName}/${one.outcome} ${one.firstAt}-${one.lastAt} ${one.records}`,
    );
    assert.deepEqual(told.toSorted(), [
      "default// 10-40 4",
      "default//ok 10-40 3",
      "default//timeout 30-30 1",
      "default/f/ 10-30 3",
      "default/f/ok 10-20 2",
      "default/f/timeout 30-30 1",
      "default/g/ 40-40 1",
      "default/g/ok 40-40 1",
      "second// 50-50 1",
      "second//ok 50-50 1",
      "second/f/ 50-50 1",
      "second/f/ok 50-50 1",
    ]);
  });

  test("of a version that knew a column less reads it as null", () => {
    const chunk = chunkOf([record({ startMs: 3 }), record({ startMs: 4, path: "/b" })]);
    const renamed = Buffer.from(
      chunk.toString("latin1").replace('"startMs"', '"unknown"'),
      "latin1",
    );
    const read = new InvocationChunk(renamed).records();
    assert.deepEqual(
      read.map(({ startMs, path, responseBytes }) => [startMs, path, responseBytes]),
      [
        [null, "/f", 9],
        [null, "/b", 9],
      ],
    );
  });

  test("that is cut short, or of another version, is refused", () => {
    const chunk = chunkOf([record({ path: "/a" }), record({ path: "/b" })]);
    assert.throws(() => new InvocationChunk(chunk.subarray(0, -1)), /cut short/);
    assert.throws(() => new InvocationChunk(Buffer.concat([Buffer.of(9), chunk])), /version/);
  });

  test("of a batch of ordinary calls takes fewer than 40 bytes a record", () => {
    const records = Array.from({ length: 1000 }, (_, at) =>
      record({ startedAt: 1_700_000_000_000 + at, totalMs: at / 7, runMs: at / 9 }),
    );
    assert.ok(chunkOf(records).length < 40 * records.length);
  });
});
