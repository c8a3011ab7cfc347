import assert from "node:assert/strict";
import { test } from "node:test";
import { GrowingPauses } from "./growing-pauses.ts";

test("pauses double up to the longest, and begin anew after a success", () => {
  const pauses = new GrowingPauses({ leastMs: 100, mostMs: 1000 });
  const next = (count: number) => Array.from({ length: count }, () => pauses.next());
  assert.deepEqual(next(6), [100, 200, 400, 800, 1000, 1000]);
  pauses.reset();
  assert.deepEqual(next(2), [100, 200]);
});

test("pauses stay the longest, however often it fails", () => {
  const pauses = new GrowingPauses({ leastMs: 3, mostMs: 3 });
  for (let failures = 0; failures < 5000; failures += 1) assert.equal(pauses.next(), 3);
});
