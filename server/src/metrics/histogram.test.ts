import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { addTo, bucketOf, microsOf, quantilesOf } from "./histogram.ts";

const micros = fc.oneof(fc.nat(100), fc.nat(1_000_000), fc.nat(2 ** 31), fc.nat(2 ** 40));

describe("a histogram", () => {
  test("has every value less than one percent from the middle of its bucket", () => {
    fc.assert(
      fc.property(micros, (value) => {
        const middle = microsOf(bucketOf(value));
        assert.ok(value === 0 ? middle === 0 : Math.abs(middle / value - 1) < 0.01, `${middle}`);
      }),
    );
  });

  test("tells percentiles within two percent of those of the values, however it was put together", () => {
    const ranks = [0, 0.01, 0.5, 0.9, 0.99, 1];
    fc.assert(
      fc.property(
        fc.array(micros, { minLength: 1, maxLength: 300 }),
        fc.nat(300),
        (values, cut) => {
          const parts = [values.slice(0, cut), values.slice(cut)].map((part) => {
            const histogram = new Map<number, number>();
            for (const value of part) addTo(histogram, bucketOf(value), 1);
            return histogram;
          });
          const merged = new Map<number, number>();
          for (const part of parts)
            for (const [bucket, count] of part) addTo(merged, bucket, count);
          const sorted = values.toSorted((a, b) => a - b);
          for (const [at, told] of quantilesOf(merged, ranks).entries()) {
            const place = Math.max(1, Math.ceil((ranks[at] as number) * sorted.length)) - 1;
            const exact = sorted[place] as number;
            assert.ok(Math.abs((told as number) - exact) <= 0.02 * exact, `${told} ${exact}`);
          }
        },
      ),
    );
  });

  test("of nothing has no percentiles", () => {
    assert.deepEqual(quantilesOf(new Map(), [0.5, 0.99]), [null, null]);
  });
});
