import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BlankDemand } from "./blank-demand.ts";

const MINUTE_MS = 60_000;
const options = { base: 2, most: 16, quietMs: 15 * MINUTE_MS, nowMs: 0, isExpected: true };

function burst(demand: BlankDemand, atMs: number, count: number): void {
  for (let need = 0; need < count; need += 1) demand.note(atMs + need);
}

describe("the number of blank sandboxes kept", () => {
  test("is the base at first, and 0 after a long quiet, until the next need", () => {
    const demand = new BlankDemand(options);
    assert.equal(demand.target(15 * MINUTE_MS - 1), 2);
    assert.equal(demand.target(15 * MINUTE_MS), 0);
    demand.note(60 * MINUTE_MS);
    assert.equal(demand.target(60 * MINUTE_MS), 2);
  });

  test("is 0 until the first need where nobody expects one", () => {
    const demand = new BlankDemand({ ...options, isExpected: false });
    assert.equal(demand.target(0), 0);
    demand.note(5 * MINUTE_MS);
    assert.equal(demand.target(5 * MINUTE_MS), 2);
  });

  test("is that of the largest recent burst, so that the next one finds them ready", () => {
    const demand = new BlankDemand(options);
    burst(demand, 1000, 10);
    assert.equal(demand.target(10_000), 9);
    assert.equal(demand.target(MINUTE_MS), 5);
    assert.equal(demand.target(5 * MINUTE_MS), 2);
  });

  test("is bounded, also where a burst is larger", () => {
    const demand = new BlankDemand(options);
    burst(demand, 1000, 100);
    assert.equal(demand.target(1100), 16);
  });

  test("does not add up needs that leave time for a refill between them", () => {
    const demand = new BlankDemand(options);
    for (let at = 0; at < 100; at += 1) demand.note(at * 4000);
    assert.equal(demand.target(400_000), 2);
  });

  test("is never above its bound, never between 0 and the base, and holds as long as it says", () => {
    const gap = fc.oneof(fc.nat(100), fc.nat(3000), fc.nat(10 * MINUTE_MS));
    const gaps = fc.array(gap, { minLength: 20, maxLength: 80 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 0, max: 4 }), (waits, base) => {
        const demand = new BlankDemand({ ...options, base });
        let now = 0;
        for (const wait of waits) {
          now += wait;
          demand.note(now);
          const target = demand.target(now);
          assert.ok(target === 0 ? base === 0 : target >= base && target <= options.most);
          const holdsMs = demand.holdsForMs(now);
          if (holdsMs === null) assert.equal(target, 0);
          else if (holdsMs > 2) {
            assert.equal(demand.target(now + holdsMs - 2), target);
            assert.ok(demand.target(now + holdsMs + 1) < target);
          }
        }
      }),
    );
  });
});
