import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { Burst } from "./burst.ts";

/** Work that ends when the test says so. */
function heldWork() {
  const ends: (() => void)[] = [];
  const work = () => new Promise<void>((resolve) => ends.push(resolve));
  return { ends, work };
}

async function tick(ms: number): Promise<void> {
  mock.timers.tick(ms);
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

describe("a burst of changes", () => {
  test("is one piece of work, once it is over", async (t) => {
    t.mock.method(performance, "now", () => Date.now());
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    t.after(() => mock.timers.reset());
    const { ends, work } = heldWork();
    const burst = new Burst(work);
    for (let file = 0; file < 5; file += 1) {
      burst.note();
      await tick(40);
    }
    assert.equal(ends.length, 0);
    await tick(20);
    assert.equal(ends.length, 1);
    // All that come while it runs are one more.
    for (let file = 0; file < 5; file += 1) {
      burst.note();
      await tick(400);
    }
    assert.equal(ends.length, 1);
    ends[0]?.();
    await tick(0);
    await tick(50);
    assert.equal(ends.length, 2);
    ends[1]?.();
    await tick(0);
    await tick(5000);
    assert.equal(ends.length, 2);
    await burst.close();
  });

  test("without an end is worked on all the same, and nothing begins after the end of the burst", async (t) => {
    t.mock.method(performance, "now", () => Date.now());
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    t.after(() => mock.timers.reset());
    const { ends, work } = heldWork();
    const burst = new Burst(work);
    for (let at = 0; at < 20; at += 1) {
      burst.note();
      await tick(30);
    }
    assert.equal(ends.length, 1);
    ends[0]?.();
    await tick(0);
    burst.note();
    await burst.close();
    burst.note();
    await tick(5000);
    assert.equal(ends.length, 1);
  });
});
