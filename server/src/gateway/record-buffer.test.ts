import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { InvocationRecord } from "../domain/invocation.ts";
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

const record = (id: string) => ({ id }) as InvocationRecord;
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
    for (let at = 0; at < 203; at += 1) {
      records.addInvocation(record(String(at)));
      records.flush();
    }
    assert.equal(records.lost, 3);
    isUp = true;
    records.addInvocation(record("last"));
    records.flush();
    records.resend();
    assert.equal(sent.reduce((sum, batch) => sum + batch.lost, 0) >= 3, true);
    assert.equal(ids().includes("0"), false);
    assert.equal(ids().includes("202"), true);
  });
});
