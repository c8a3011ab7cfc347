import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Due, DueHeap } from "./due-heap.ts";

test("the first is the earliest, whatever was added and removed before", () => {
  const step = fc.record({ due: fc.nat(50), removes: fc.boolean(), at: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new DueHeap<Due>();
      const items: Due[] = [];
      for (const { due, removes, at } of steps) {
        if (removes && items.length > 0) heap.remove(items.splice(at % items.length, 1)[0] as Due);
        else {
          const item = { due, place: -1 };
          items.push(item);
          heap.add(item);
        }
        assert.equal(heap.size, items.length);
        assert.equal(heap.first?.due, items.map((one) => one.due).sort((a, b) => a - b)[0]);
      }
    }),
  );
});

test("one that was removed, or is in another heap, is left alone", () => {
  const [heap, other] = [new DueHeap<Due>(), new DueHeap<Due>()];
  const item = { due: 1, place: -1 };
  heap.add(item);
  other.remove(item);
  assert.equal(heap.size, 1);
  heap.remove(item);
  heap.remove(item);
  assert.deepEqual([heap.size, heap.first, item.place], [0, undefined, -1]);
});
