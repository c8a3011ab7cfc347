import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { eventOf } from "../domain/events.ts";
import type { InvocationRecord, LogRecord } from "../domain/invocation.ts";
import type { LinkNotices } from "../link/messages.ts";
import { ManualClock } from "../pool/testing/manual-clock.ts";
import { InvocationChunk } from "../records/invocation-chunk.ts";
import { RecordBuffer } from "./record-buffer.ts";

type Batch = LinkNotices["records"];

let clock: ManualClock;
let sent: Batch[];
let isUp: boolean;
let records: RecordBuffer;

beforeEach(() => {
  clock = new ManualClock();
  sent = [];
  isUp = true;
  records = new RecordBuffer(clock, (batch) => {
    if (isUp) sent.push(batch);
    return isUp;
  });
});

const record = (id: string, change: Partial<InvocationRecord> = {}): InvocationRecord => ({
  ...{ id, project: "default", functionName: "f", functionId: "fn-1", revision: 1 },
  ...{ driver: "process", runtime: "nodejs26", startKind: "warm", sandboxId: "sb-1" },
  ...{ outcome: "ok", errorCode: null, errorMessage: null, status: 200, method: "GET" },
  ...{ path: "", startedAt: 1, totalMs: 1, queueMs: 0, startMs: null, initMs: null, runMs: 1 },
  ...{ memoryMiB: 128, responseMs: 0, cpuMs: null, memoryPeakBytes: null },
  ...{ requestBytes: 0, responseBytes: 0, killMs: null, trace: null },
  ...change,
});
const acknowledged = new Set<Batch>();

/** False when it was acknowledged already. */
function acknowledge(batch: Batch): boolean {
  if (acknowledged.has(batch)) return false;
  acknowledged.add(batch);
  records.acknowledged(batch.batch);
  return true;
}

const recordsOf = ({ invocations }: Batch) =>
  invocations === null ? [] : new InvocationChunk(invocations).records();
const ids = () => sent.flatMap((batch) => recordsOf(batch).map(({ id }) => id));

describe("records", () => {
  test("go out together, at most half a second late", () => {
    records.addInvocation(record("a"));
    clock.advance(499);
    records.addInvocation(record("b"));
    assert.equal(sent.length, 0);
    clock.advance(1);
    assert.deepEqual(ids(), ["a", "b"]);
  });

  test("go out at once when a batch is full", () => {
    for (let at = 0; at < 4095; at += 1) records.addInvocation(record(String(at)));
    assert.equal(sent.length, 0);
    records.addInvocation(record("4095"));
    assert.equal(sent.length, 1);
    assert.deepEqual(
      ids(),
      Array.from({ length: 4096 }, (_, at) => String(at)),
    );
  });

  test("of calls that took two seconds go apart from the others", () => {
    records.addInvocation(record("slow", { totalMs: 2000 }));
    records.addInvocation(record("quick", { totalMs: 1999 }));
    records.flush();
    assert.deepEqual(
      sent.map((batch) => recordsOf(batch).map(({ id }) => id)),
      [["quick"], ["slow"]],
    );
  });

  test("of calls with long paths go out before a message becomes too large", () => {
    for (let at = 0; at < 100; at += 1)
      records.addInvocation(record(String(at), { path: `/${at}/${"\u0001".repeat(8000)}` }));
    assert.ok(sent.length > 0);
    for (const { invocations } of sent) assert.ok((invocations?.length ?? 0) < 8 * 1024 * 1024);
  });

  test("of one gateway are numbered under a name that no other has", () => {
    records.addInvocation(record("a"));
    records.flush();
    const [first] = sent;
    const other = new RecordBuffer(clock, (batch) => sent.push(batch) > 0);
    other.addInvocation(record("b"));
    other.flush();
    const [, second] = sent;
    assert.deepEqual([first?.batch, second?.batch], [1, 1]);
    assert.notEqual(first?.source, second?.source);
  });

  test("are sent again until they are acknowledged", () => {
    isUp = false;
    records.addInvocation(record("a"));
    clock.advance(500);
    isUp = true;
    records.resend();
    records.resend();
    assert.deepEqual(ids(), ["a", "a"]);
    records.acknowledged(sent[0]?.batch ?? 0);
    records.resend();
    assert.deepEqual(ids(), ["a", "a"]);
  });

  test("are bounded while nobody takes them; what is lost is counted and told", () => {
    isUp = false;
    const path = "x".repeat(5_000_000);
    for (let at = 0; at < 14; at += 1) {
      records.addInvocation(record(String(at), { path }));
      records.flush();
    }
    // Thirteen are 65 MB, and 64 MiB are kept.
    assert.equal(records.lost, 1);
    isUp = true;
    records.addInvocation(record("last"));
    records.flush();
    while (sent.some((batch) => acknowledge(batch))) {
      // Each acknowledgement lets another batch go.
    }
    assert.equal(
      sent.reduce((sum, batch) => sum + batch.lost, 0),
      1,
    );
    assert.deepEqual(ids(), [
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
      "7",
      "8",
      "9",
      "10",
      "11",
      "12",
      "13",
      "last",
    ]);
  });

  test("go out eight batches at a time", () => {
    for (let at = 0; at < 10; at += 1) {
      records.addInvocation(record(String(at)));
      records.flush();
    }
    assert.equal(sent.length, 8);
    records.acknowledged(1);
    assert.equal(sent.length, 9);
  });

  test("that could not be stored are sent again, later and later", () => {
    records.addInvocation(record("a"));
    records.flush();
    records.refused(1);
    clock.advance(999);
    assert.deepEqual(ids(), ["a"]);
    clock.advance(1);
    assert.deepEqual(ids(), ["a", "a"]);
    records.refused(1);
    clock.advance(1999);
    assert.deepEqual(ids(), ["a", "a"]);
    clock.advance(1);
    assert.deepEqual(ids(), ["a", "a", "a"]);
  });

  test("of calls are not lost to a flood of log lines", () => {
    isUp = false;
    records.addInvocation(record("a"));
    records.flush();
    const text = "x".repeat(250_000);
    for (let at = 0; at < 100; at += 1) records.addLog({ text } as LogRecord);
    records.flush();
    assert.ok(records.lost > 0);
    isUp = true;
    records.resend();
    assert.deepEqual(ids(), ["a"]);
  });

  test("of events travel apart, and what had to be dropped is told as one when records are taken again", () => {
    isUp = false;
    const started = eventOf("gateway_started", 1, { pid: 1, drivers: "process" });
    records.addEvent(started);
    const text = "x".repeat(250_000);
    for (let at = 0; at < 100; at += 1) records.addLog({ text } as LogRecord);
    records.flush();
    const { logsLost } = records;
    assert.ok(logsLost > 0 && logsLost === records.lost);
    isUp = true;
    records.resend();
    assert.deepEqual(
      sent.flatMap(({ events = [] }) => events),
      [started],
      "nobody has taken anything yet",
    );
    records.noteEventsLost(2);
    while (sent.some((batch) => acknowledge(batch))) records.flush();
    const told = sent.flatMap(({ events = [] }) => events);
    assert.deepEqual(told.map(({ kind, fields }) => [kind, fields]).slice(1), [
      ["records_lost", { invocations: 0, logs: logsLost, events: 2 }],
    ]);
    records.flush();
    assert.equal(sent.flatMap(({ events = [] }) => events).length, 2, "told once");
  });

  test("that were dropped with a batch that was to tell of losses are told by the next", () => {
    isUp = false;
    const text = "x".repeat(250_000);
    const flood = () => {
      for (let at = 0; at < 200; at += 1) records.addLog({ text } as LogRecord);
      records.flush();
    };
    flood();
    flood();
    isUp = true;
    records.resend();
    while (sent.some((batch) => acknowledge(batch))) {
      // Each acknowledgement lets another batch go.
    }
    records.addLog({ text } as LogRecord);
    records.flush();
    while (sent.some((batch) => acknowledge(batch))) {
      // And once more.
    }
    assert.equal(
      sent.reduce((sum, { lost }) => sum + lost, 0),
      records.lost,
    );
  });
});
