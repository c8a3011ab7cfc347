import assert from "node:assert/strict";
import { test } from "node:test";
import { blocksOf } from "./shown-blocks.ts";

test("rows that are seen belong to whole blocks, so that small steps change nothing", () => {
  assert.deepEqual(blocksOf({ first: 0, last: 38 }), { from: 0, until: 50 });
  assert.deepEqual(blocksOf({ first: 11, last: 49 }), { from: 0, until: 50 });
  assert.deepEqual(blocksOf({ first: 12, last: 50 }), { from: 0, until: 100 });
  assert.deepEqual(blocksOf({ first: 9990, last: 9999 }), { from: 9950, until: 10_000 });
});

test("however many rows are seen, no more are asked for than a request holds", () => {
  assert.deepEqual(blocksOf({ first: 0, last: 5000 }), { from: 0, until: 150 });
});
