import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type EvictionCandidate, EvictionOrder } from "./eviction-order.ts";
import { worthOf } from "./worth.ts";

class Candidate implements EvictionCandidate {
  orderedAt = -1;
  priority: number | null;
  asked = 0;

  constructor(priority: number | null) {
    this.priority = priority;
  }

  evictionPriority(): number | null {
    this.asked += 1;
    return this.priority;
  }
}

describe("the order of eviction", () => {
  test("gives the least priority first, whatever was offered, used, emptied or withdrawn before", () => {
    const step = fc.record({
      index: fc.nat(9),
      what: fc.constantFrom("offer", "use", "empty", "remove", "take"),
      more: fc.integer({ min: 0, max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const order = new EvictionOrder<Candidate>();
        const all = Array.from({ length: 10 }, (_, at) => new Candidate(at));
        const offered = new Set<Candidate>();
        for (const { index, what, more } of steps) {
          const candidate = all[index] as Candidate;
          if (what === "offer") {
            candidate.priority ??= more;
            order.offer(candidate);
            offered.add(candidate);
          } else if (what === "use" && candidate.priority !== null) candidate.priority += more;
          else if (what === "empty") candidate.priority = null;
          else if (what === "remove") {
            order.remove(candidate);
            offered.delete(candidate);
          } else if (what === "take") assertLeast(order, offered);
        }
        assertLeast(order, offered);
      }),
    );
  });

  test("asks few of 10,000 for each that it takes", () => {
    const order = new EvictionOrder<Candidate>();
    const all = Array.from({ length: 10_000 }, (_, at) => new Candidate((at * 7919) % 10_007));
    for (const candidate of all) order.offer(candidate);
    for (let taken = 0; taken < 10_000; taken += 1) {
      const first = order.first() as Candidate;
      first.priority = null;
    }
    assert.equal(order.first(), null);
    const asked = all.reduce((sum, candidate) => sum + candidate.asked, 0);
    assert.ok(asked < 10_000 * 4, `${asked} questions`);
  });

  test("lets what was dear and is not used any more fall behind what is cheap and used", () => {
    const order = new EvictionOrder<Candidate>();
    const dear = new Candidate(worthOf(100, 5000, 128));
    const cheap = new Candidate(null);
    order.offer(dear);
    let evictions = 0;
    for (; evictions < 1000; evictions += 1) {
      cheap.priority = order.clock + worthOf(1, 100, 128);
      order.offer(cheap);
      const first = order.first() as Candidate;
      order.passed(first.priority as number);
      if (first === dear) break;
    }
    assert.ok(evictions > 10 && evictions < 200, `after ${evictions} evictions`);
  });

  test("values a sandbox by its uses and by what it takes to have it again, and less by its size", () => {
    const base = worthOf(3, 100, 128);
    assert.ok(worthOf(4, 100, 128) > base);
    assert.ok(worthOf(3, 200, 128) > base);
    assert.ok(worthOf(3, 100, 256) < base);
    assert.equal(worthOf(0, 100, 128), 0);
  });
});

function assertLeast(order: EvictionOrder<Candidate>, offered: Set<Candidate>): void {
  for (const candidate of offered) if (candidate.priority === null) offered.delete(candidate);
  const priorities = [...offered].map(({ priority }) => priority as number);
  const first = order.first();
  if (priorities.length === 0) return assert.equal(first, null);
  assert.equal(first?.priority, Math.min(...priorities));
}
