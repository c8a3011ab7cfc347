import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { RevisionSettings } from "../domain/function.ts";
import type { PooledSandbox } from "./pooled-sandbox.ts";
import type { RevisionPool } from "./revision-pool.ts";
import { Caller, PoolBench, callers, makeFunction, settle } from "./testing/pool-bench.ts";

const MINUTE_MS = 60_000;
let bench: PoolBench;

beforeEach(() => {
  bench = new PoolBench();
});

async function call(pool: RevisionPool): Promise<Caller> {
  const caller = new Caller();
  pool.acquire(caller);
  await settle();
  pool.release(caller.sandbox as PooledSandbox);
  await settle();
  return caller;
}

async function pass(minutes: number): Promise<void> {
  for (let at = 0; at < minutes * 4; at += 1) {
    bench.clock.advance(MINUTE_MS / 4);
    await settle();
  }
}

const auto = (settings: Partial<RevisionSettings> = {}) =>
  makeFunction({ idleTimeoutMs: "auto", ...settings });

describe("idleTimeoutMs auto", () => {
  test("starts a sandbox ahead of a call that comes at even distances, and keeps none between", async () => {
    const pool = bench.pools().open(auto());
    for (let turn = 0; turn < 4; turn += 1) {
      await call(pool);
      await pass(30);
    }
    await call(pool);
    await pass(10);
    assert.equal(pool.sandboxes.size, 0);
    const { starts } = bench.driver;
    await pass(20);
    assert.equal(bench.driver.starts, starts + 1);
    const caller = await call(pool);
    assert.equal(caller.kind, "warm");
    assert.equal(bench.driver.starts, starts + 1);
  });

  test("lets a sandbox go that was started for a call that does not come, and starts no other", async () => {
    const pool = bench.pools().open(auto());
    for (let turn = 0; turn < 5; turn += 1) {
      await call(pool);
      await pass(30);
    }
    const { starts } = bench.driver;
    await pass(240);
    assert.equal(pool.sandboxes.size, 0);
    assert.equal(bench.driver.starts, starts);
  });

  test("goes on with what it has learned after a deploy, and not after a delete", async () => {
    const pools = bench.pools();
    let pool = pools.open(auto());
    for (let turn = 0; turn < 5; turn += 1) {
      await call(pool);
      await pass(30);
    }
    const next = pools.open({ ...auto(), revision: 2 });
    pools.replace(pool, next);
    await call(next);
    await pass(5);
    assert.equal(next.sandboxes.size, 0, "the pattern is known");
    pool = pools.open({ ...auto(), functionId: "fn-2" });
    pools.replace(next, pool);
    await call(pool);
    await pass(5);
    assert.equal(pool.sandboxes.size, 1);
  });

  test("starts nothing ahead once the function is replaced, or while callers wait for memory", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 128 });
    const pool = pools.open(auto());
    const other = pools.open(makeFunction({}, { name: "b", functionId: "fn-b" }));
    for (let turn = 0; turn < 5; turn += 1) {
      await call(pool);
      await pass(30);
    }
    await call(pool);
    const [holder] = callers(1) as [Caller];
    other.acquire(holder);
    await settle();
    await pass(40);
    assert.equal(pool.sandboxes.size, 0);
    const { timers } = bench.clock;
    pools.remove(pool);
    assert.ok(bench.clock.timers <= timers);
    other.release(holder.sandbox as PooledSandbox);
    const { starts } = bench.driver;
    await pass(120);
    assert.equal(bench.driver.starts, starts);
  });

  test("lets a sandbox go soon once the pattern is known, whatever was planned before", async () => {
    const pool = bench.pools().open(auto());
    for (let turn = 0; turn < 6; turn += 1) {
      await call(pool);
      await pass(12);
    }
    await call(pool);
    await pass(1);
    assert.equal(pool.sandboxes.size, 0);
  });

  test("leaves no timer when the function is deleted before its next call", async () => {
    const pools = bench.pools();
    const pool = pools.open(auto());
    for (let turn = 0; turn < 5; turn += 1) {
      await call(pool);
      await pass(30);
    }
    await call(pool);
    await pass(1);
    assert.equal(bench.clock.timers, 1);
    pools.remove(pool);
    assert.equal(bench.clock.timers, 0);
  });

  test("scales to nothing where calls never come again, with a number and with auto", async () => {
    const pools = bench.pools();
    const all = [auto(), makeFunction({}, { name: "b", functionId: "fn-b" })].map((fn) =>
      pools.open(fn),
    );
    for (const pool of all) await call(pool);
    await pass(20);
    assert.equal(bench.driver.alive.length, 0);
    assert.equal(pools.budget.reservedMiB, 0);
  });

  test("keeps minSandboxes whatever it has learned", async () => {
    const pool = bench.pools().open(auto({ minSandboxes: 1 }));
    await settle();
    for (let turn = 0; turn < 5; turn += 1) {
      assert.equal((await call(pool)).kind, "warm");
      await pass(60);
    }
    assert.equal(bench.driver.starts, 1);
  });
});

describe("concurrencyTarget", () => {
  test("starts another sandbox while those there still have room, and fills that first", async () => {
    const pool = bench.pools().open(makeFunction({ concurrency: 4, concurrencyTarget: 2 }));
    const all = callers(6);
    pool.acquire(all[0] as Caller);
    await settle();
    for (const caller of all.slice(1, 3)) pool.acquire(caller);
    assert.ok(all.slice(0, 3).every(({ sandbox }) => sandbox === all[0]?.sandbox));
    await settle();
    assert.equal(bench.driver.starts, 2);
    for (const caller of all.slice(3, 5)) pool.acquire(caller);
    assert.notEqual(all[3]?.sandbox, all[0]?.sandbox);
    assert.equal(all[4]?.sandbox, all[3]?.sandbox);
    assert.ok(all.slice(0, 5).every(({ phases }) => phases?.queueMs === 0));
  });

  test("uses the room up to concurrency where no other sandbox may be started", async () => {
    const settings = { concurrency: 3, concurrencyTarget: 1, maxSandboxes: 1 };
    const pool = bench.pools().open(makeFunction(settings));
    const all = callers(4);
    pool.acquire(all[0] as Caller);
    await settle();
    for (const caller of all.slice(1)) pool.acquire(caller);
    await settle();
    assert.deepEqual(
      all.map(({ settled }) => settled),
      [true, true, true, false],
    );
    assert.equal(bench.driver.starts, 1);
    pool.release(all[0]?.sandbox as PooledSandbox);
    assert.equal(all[3]?.kind, "warm");
  });

  test("a sandbox that had more calls than the target ends with the others when it is idle", async () => {
    const settings = { concurrency: 4, concurrencyTarget: 2, maxSandboxes: 1 };
    const pool = bench.pools().open(makeFunction(settings));
    const all = callers(3);
    pool.acquire(all[0] as Caller);
    await settle();
    for (const caller of all.slice(1)) pool.acquire(caller);
    for (const caller of all) pool.release(caller.sandbox as PooledSandbox);
    bench.clock.advance(5000);
    await settle();
    assert.equal(bench.driver.alive.length, 0);
  });

  test("does not take memory that callers of another function wait for", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 384 });
    const busy = pools.open(makeFunction({}, { name: "b", functionId: "fn-b" }));
    const pool = pools.open(makeFunction({ concurrency: 4, concurrencyTarget: 1 }));
    const [first, second, holder, waiting] = callers(4) as [Caller, Caller, Caller, Caller];
    pool.acquire(first);
    busy.acquire(holder);
    const large = makeFunction({ memoryMiB: 256 }, { name: "c", functionId: "fn-c" });
    pools.open(large).acquire(waiting);
    await settle();
    pool.acquire(second);
    await settle();
    assert.equal(bench.driver.starts, 2, "none was started and evicted at once");
    busy.release(holder.sandbox as PooledSandbox);
    await settle();
    assert.equal(waiting.kind, "cold");
  });

  test("tries a sandbox that did not start again after a while, and not with each call", async () => {
    const pool = bench.pools().open(makeFunction({ concurrency: 9, concurrencyTarget: 1 }));
    const all = callers(6);
    pool.acquire(all[0] as Caller);
    await settle();
    bench.driver.behaviour.onInit = () => "out of luck";
    for (const caller of all.slice(1)) {
      pool.acquire(caller);
      await settle();
    }
    assert.equal(bench.driver.starts, 2);
    assert.ok(all.every(({ sandbox }) => sandbox !== null));
    bench.clock.advance(1000);
    pool.acquire(new Caller());
    await settle();
    assert.equal(bench.driver.starts, 3);
  });

  test("evicts nobody for a sandbox that no caller waits for", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 256 });
    const idle = pools.open(makeFunction({}, { name: "b", functionId: "fn-b" }));
    await call(idle);
    const pool = pools.open(makeFunction({ concurrency: 4, concurrencyTarget: 1 }));
    const all = callers(3);
    pool.acquire(all[0] as Caller);
    await settle();
    for (const caller of all.slice(1)) pool.acquire(caller);
    await settle();
    assert.equal(idle.sandboxes.size, 1);
    assert.equal(bench.driver.starts, 2);
  });
});

describe("eviction", () => {
  test("takes what is cheap to have again before what is dear, though it was used later", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 256 });
    const open = (name: string) => pools.open(makeFunction({}, { name, functionId: name }));
    const [dear, cheap] = [open("dear"), open("cheap")];
    bench.driver.behaviour.onStart = async () => bench.clock.skip(400);
    await call(dear);
    bench.driver.behaviour.onStart = async () => bench.clock.skip(1);
    await call(cheap);
    await call(open("third"));
    assert.equal(dear.sandboxes.size, 1);
    assert.equal(cheap.sandboxes.size, 0);
  });

  test("of two that are worth the same takes the one that has been idle longer", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 256 });
    const open = (name: string) => pools.open(makeFunction({}, { name, functionId: name }));
    const [one, other] = [open("one"), open("other")];
    for (const pool of [one, other, one]) {
      await call(pool);
      bench.clock.advance(100);
    }
    await call(open("third"));
    assert.deepEqual([one.sandboxes.size, other.sandboxes.size], [1, 0]);
  });

  test("spares a sandbox that waits for the call it was started for", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 256 });
    const pool = pools.open(auto());
    for (let turn = 0; turn < 5; turn += 1) {
      await call(pool);
      await pass(30);
    }
    assert.equal(pool.sandboxes.size, 1);
    const other = pools.open(makeFunction({}, { name: "b", functionId: "fn-b" }));
    await call(other);
    for (const sandbox of [...pool.sandboxes, ...other.sandboxes]) sandbox.startMs = 100;
    await call(pools.open(makeFunction({}, { name: "c", functionId: "fn-c" })));
    assert.deepEqual([pool.sandboxes.size, other.sandboxes.size], [1, 0]);
  });

  test("of 2,000 idle sandboxes looks at few for each that it takes", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 128 * 2000, startsAtOnceMax: 4000 });
    const all = Array.from({ length: 2000 }, (_, at) =>
      pools.open(makeFunction({}, { name: `f${at}`, functionId: `f${at}` })),
    );
    const waiting = all.map((pool) => {
      const caller = new Caller();
      pool.acquire(caller);
      return caller;
    });
    await settle();
    for (const [at, pool] of all.entries()) pool.release(waiting[at]?.sandbox as PooledSandbox);
    let asked = 0;
    for (const pool of all) {
      const { evictionPriority } = pool.idle;
      pool.idle.evictionPriority = () => {
        asked += 1;
        return evictionPriority.call(pool.idle);
      };
    }
    const large = pools.open(makeFunction({ memoryMiB: 10_240 }, { name: "x", functionId: "x" }));
    const [caller] = callers(1) as [Caller];
    large.acquire(caller);
    await settle();
    assert.equal(caller.kind, "cold");
    assert.equal(all.filter(({ sandboxes }) => sandboxes.size === 0).length, 80);
    assert.ok(asked < 2000 + 80 * 4, `${asked} questions: each once as it was new, and few more`);
  });
});

describe("blank sandboxes", () => {
  const ready = (pools: ReturnType<PoolBench["pools"]>) => pools.status().blankPools[0]?.ready;

  test("go after a long quiet and come back with the first need", async () => {
    const pools = bench.pools({ blanks: { nodejs: 2, python: 0 }, blankQuietMs: 60_000 });
    pools.start();
    await settle();
    assert.equal(ready(pools), 2);
    bench.clock.advance(60_000);
    await settle();
    assert.equal(ready(pools), 0);
    assert.equal(pools.budget.reservedMiB, 0);
    const first = await call(pools.open(makeFunction()));
    assert.equal(first.kind, "cold");
    assert.equal(ready(pools), 2);
  });

  test("are as many as the last burst needed, within a quarter of the memory", async () => {
    const pools = bench.pools({
      blanks: { nodejs: 1, python: 0 },
      memoryBudgetMiB: 128 * 40,
      startsAtOnceMax: 40,
      queueLengthMax: 40,
    });
    pools.start();
    await settle();
    const pool = pools.open(makeFunction({ maxSandboxes: 20 }));
    const burst = callers(5);
    for (const caller of burst) pool.acquire(caller);
    await settle();
    bench.clock.advance(100);
    await settle();
    assert.equal(ready(pools), 5);
    const large = callers(15);
    for (const caller of large) pool.acquire(caller);
    await settle();
    bench.clock.advance(100);
    for (let turn = 0; turn < 10; turn += 1) await settle();
    assert.equal(ready(pools), 10);
  });
});
