import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { InvocationRecord, LogRecord } from "../domain/invocation.ts";
import type { LinkNotices } from "../link/messages.ts";
import { ManualClock } from "../pool/testing/manual-clock.ts";
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

const record = (id: string, path = "") => ({ id, path, errorMessage: null }) as InvocationRecord;
const acknowledged = new Set<Batch>();

/** False when it was acknowledged already. */
function acknowledge(batch: Batch): boolean {
  if (acknowledged.has(batch)) return false;
  acknowledged.add(batch);
  records.acknowledged(batch.batch);
  return true;
}

const ids = () => sent.flatMap((batch) => batch.invocations.map(({ id }) => id));

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
    for (let at = 0; at < 1000; at += 1) records.addInvocation(record(String(at)));
    assert.equal(sent.length, 1);
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
    const path = "x".repeat(1_000_000);
    for (let at = 0; at < 14; at += 1) {
      records.addInvocation(record(String(at), path));
      records.flush();
    }
    assert.equal(records.lost, 3);
    isUp = true;
    records.addInvocation(record("last"));
    records.flush();
    while (sent.some((batch) => acknowledge(batch))) {
      // Each acknowledgement lets another batch go.
    }
    assert.equal(
      sent.reduce((sum, batch) => sum + batch.lost, 0),
      3,
    );
    assert.deepEqual(ids(), ["3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "last"]);
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
});
