import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf } from "./spark-bars.ts";

const size = { width: 40, height: 11 };

test("bars stand in their steps, as high as their share of the highest", () => {
  assert.equal(barsOf([10, null, 5, 0], 10, size), "M0 11v-10h9v10zM20 11v-5h9v5z");
});

test("what is small beside the others is still seen, and nothing is drawn of nothing", () => {
  assert.equal(barsOf([1], 1000, size), "M0 11v-1.5h39v1.5z");
  assert.equal(barsOf([null, 0], 0, size), "");
  assert.equal(barsOf([], 0, size), "");
});
