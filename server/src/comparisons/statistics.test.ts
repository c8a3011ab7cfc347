import assert from "node:assert/strict";
import { test } from "node:test";
import { distributionOf, percentile, spreadOf } from "./statistics.ts";

test("a percentile is the nearest rank, always one of the samples", () => {
  const sorted = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.equal(percentile(sorted, 50), 50);
  assert.equal(percentile(sorted, 99), 99);
  assert.equal(percentile(sorted, 99.5), 100);
  assert.equal(percentile(sorted, 100), 100);
  assert.equal(percentile([7], 0.1), 7);
});

test("a distribution does not depend on the order of its samples and leaves them alone", () => {
  const samples = [30, 1, 20, 2, 10];
  assert.deepEqual(distributionOf(samples), {
    count: 5,
    min: 1,
    p50: 10,
    p90: 30,
    p99: 30,
    max: 30,
  });
  assert.deepEqual(samples, [30, 1, 20, 2, 10]);
});

test("the median of an even count lies between the two in the middle", () => {
  assert.deepEqual(spreadOf([4, 1, 2, 10]), { min: 1, median: 3, max: 10 });
  assert.deepEqual(spreadOf([5]), { min: 5, median: 5, max: 5 });
});
