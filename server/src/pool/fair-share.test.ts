import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { RevisionSettings } from "../domain/function.ts";
import type { PooledSandbox } from "./pooled-sandbox.ts";
import type { Pools } from "./pools.ts";
import type { RevisionPool } from "./revision-pool.ts";
import { type Caller, PoolBench, callers, makeFunction, settle } from "./testing/pool-bench.ts";

let bench: PoolBench;

beforeEach(() => {
  bench = new PoolBench();
});

function open(
  pools: Pools,
  project: string,
  name: string,
  settings: Partial<RevisionSettings> = {},
): RevisionPool {
  const fn = makeFunction({ queueTimeoutMs: 100_000, ...settings }, { project, name });
  return pools.open({ ...fn, functionId: `${project}-${name}` });
}

async function acquire(pool: RevisionPool, count: number): Promise<Caller[]> {
  const all = callers(count);
  for (const caller of all) pool.acquire(caller);
  await settle();
  return all;
}

const holders = (all: Caller[]) => all.filter(({ sandbox }) => sandbox !== null).length;
const release = async (pool: RevisionPool, caller: Caller | undefined) => {
  pool.release(caller?.sandbox as PooledSandbox);
  await settle();
};

describe("projects that want more than there is", () => {
  test("take turns with slots for starts, however many callers one of them has", async () => {
    const pools = bench.pools({ startsAtOnceMax: 1, queueLengthMax: 100 });
    const goOn: (() => void)[] = [];
    bench.driver.behaviour.onStart = () => new Promise((resolve) => goOn.push(resolve));
    const many = Array.from({ length: 5 }, (_, at) => open(pools, "a", `f${at}`));
    const [first] = await Promise.all(many.map((pool) => acquire(pool, 5)));
    const few = await acquire(open(pools, "b", "g"), 2);
    goOn.shift()?.();
    await settle();
    assert.equal(holders(first as Caller[]), 1);
    goOn.shift()?.();
    await settle();
    assert.equal(holders(few), 1, "the next slot is for the other project");
  });

  test("of one project give its functions turns, too", async () => {
    const pools = bench.pools({ startsAtOnceMax: 1 });
    const one = open(pools, "a", "one");
    const other = open(pools, "a", "other");
    const ones = await acquire(one, 1);
    assert.equal(holders(ones), 1);
    const goOn: (() => void)[] = [];
    bench.driver.behaviour.onStart = () => new Promise((resolve) => goOn.push(resolve));
    const more = await acquire(one, 4);
    const others = await acquire(other, 1);
    for (let turn = 0; turn < 3; turn += 1) {
      goOn.shift()?.();
      await settle();
    }
    assert.deepEqual([holders(more), holders(others)], [2, 1]);
  });

  test("share memory: one that has less gets a sandbox that became free, before those who wait for it", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 128 * 4 });
    const busy = open(pools, "a", "f");
    const inside = await acquire(busy, 4);
    const waiting = await acquire(busy, 4);
    const few = await acquire(open(pools, "b", "g"), 3);
    assert.equal(holders(few), 0);
    await release(busy, inside[0]);
    assert.deepEqual([holders(waiting), holders(few)], [0, 1]);
    await release(busy, inside[1]);
    assert.deepEqual([holders(waiting), holders(few)], [0, 2], "half of it is theirs");
    await release(busy, inside[2]);
    assert.deepEqual([holders(waiting), holders(few)], [1, 2], "and no more");
  });

  test("take turns where there is memory for one alone", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 128 });
    const [a, b] = [open(pools, "a", "f"), open(pools, "b", "g")];
    const [first, second] = await acquire(a, 2);
    const [third] = await acquire(b, 1);
    await release(a, first);
    assert.equal(third?.kind, "cold");
    assert.equal(second?.settled, false);
    await release(b, third);
    assert.equal(second?.kind, "cold");
  });

  test("with calls at once in a sandbox: it takes no more and goes when they have ended", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 256 });
    const busy = open(pools, "a", "f", { concurrency: 2 });
    const inside = await acquire(busy, 4);
    const waiting = await acquire(busy, 2);
    const [other] = await acquire(open(pools, "b", "g"), 1);
    await release(busy, inside[0]);
    assert.deepEqual([holders(waiting), other?.settled], [0, false]);
    await release(busy, inside[1]);
    assert.deepEqual([holders(waiting), other?.kind], [0, "cold"]);
    await release(busy, inside[2]);
    assert.equal(holders(waiting), 1);
  });

  test("lose idle sandboxes in the order of what they hold, and each its least worthy one first", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 128 * 4 });
    const mine = open(pools, "a", "f");
    const theirs = open(pools, "b", "g");
    const [early] = await acquire(mine, 1);
    await release(mine, early);
    bench.clock.advance(10);
    const more = await acquire(theirs, 3);
    for (const caller of more) await release(theirs, caller);
    await acquire(open(pools, "c", "h"), 1);
    assert.deepEqual([mine.sandboxes.size, theirs.sandboxes.size], [1, 2]);
  });

  test("lose them so, whichever of them came first", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 128 * 4 });
    const theirs = open(pools, "b", "g");
    const mine = open(pools, "a", "f");
    const more = await acquire(theirs, 3);
    const [early] = await acquire(mine, 1);
    await release(mine, early);
    bench.clock.advance(10);
    for (const caller of more) await release(theirs, caller);
    await acquire(open(pools, "c", "h"), 1);
    assert.deepEqual([mine.sandboxes.size, theirs.sandboxes.size], [1, 2]);
  });

  test("are served by their starts under way first, and not by what they hold", async () => {
    const pools = bench.pools({ startsAtOnceMax: 2, queueLengthMax: 100 });
    const large = open(pools, "b", "g");
    await acquire(large, 3);
    const goOn: (() => void)[] = [];
    bench.driver.behaviour.onStart = () => new Promise((resolve) => goOn.push(resolve));
    const many = await acquire(open(pools, "a", "f"), 5);
    const [one] = await acquire(large, 1);
    goOn.shift()?.();
    await settle();
    assert.equal(holders(many), 1);
    goOn.pop()?.();
    await settle();
    assert.equal(one?.kind, "cold", "the other slot was taken, so this one was theirs");
  });

  test("give up no more than the other needs", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 128 * 4 });
    const busy = open(pools, "a", "f");
    const inside = await acquire(busy, 4);
    const waiting = await acquire(busy, 2);
    const [other] = await acquire(open(pools, "b", "g"), 1);
    for (const caller of inside.slice(0, 2)) busy.release(caller.sandbox as PooledSandbox);
    assert.equal(holders(waiting), 1);
    await settle();
    assert.equal(other?.kind, "cold");
  });

  test("keep minSandboxes, also when they hold most", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 256 });
    const kept = open(pools, "a", "f", { minSandboxes: 2 });
    await settle();
    const [inside] = await acquire(kept, 2);
    await acquire(kept, 1);
    const [other] = await acquire(open(pools, "b", "g"), 1);
    await release(kept, inside);
    assert.equal(kept.sandboxes.size, 2);
    assert.equal(other?.settled, false);
  });

  test("do not take memory that is free from one that has less and waits for more of it", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 128 * 5 });
    const busy = open(pools, "a", "f");
    const inside = await acquire(busy, 4);
    const [large] = await acquire(open(pools, "b", "g", { memoryMiB: 256 }), 1);
    const [small] = await acquire(open(pools, "a", "h"), 1);
    assert.equal(small?.settled, false);
    await release(busy, inside[0]);
    assert.equal(large?.kind, "cold");
    await release(busy, inside[1]);
    assert.equal(small?.kind, "cold");
  });

  test("have nothing charged in the end", async () => {
    const pools = bench.pools({ blanks: { nodejs: 1, python: 0 } });
    pools.start();
    await settle();
    const pool = open(pools, "a", "f");
    const [first] = await acquire(pool, 3);
    assert.equal(first?.kind, "prewarmed");
    assert.equal(pool.share.heldMiB, 128 * 3);
    await pools.close();
    assert.equal(pool.share.heldMiB, 0);
    assert.equal(pool.share.starts, 0);
  });
});
