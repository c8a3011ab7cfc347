import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { PooledSandbox } from "./pooled-sandbox.ts";
import { type Caller, PoolBench, callers, makeFunction, settle } from "./testing/pool-bench.ts";

let bench: PoolBench;

beforeEach(() => {
  bench = new PoolBench();
});

describe("pools together", () => {
  test("evict the sandbox that has been idle longest when memory is needed", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 256 });
    const [one, two, three] = callers(3) as [Caller, Caller, Caller];
    const first = pools.open(makeFunction());
    const second = pools.open(makeFunction({}, { name: "second", functionId: "fn-2" }));
    first.acquire(one);
    second.acquire(two);
    await settle();
    first.release(one.sandbox as PooledSandbox);
    bench.clock.advance(10);
    second.release(two.sandbox as PooledSandbox);
    const third = pools.open(makeFunction({}, { name: "third", functionId: "fn-3" }));
    third.acquire(three);
    await settle();
    assert.equal(three.kind, "cold");
    assert.deepEqual(
      bench.driver.sandboxes.map((sandbox) => sandbox.destroyedFor),
      ["evicted", null, null],
    );
    assert.equal(pools.budget.reservedMiB, 256);
  });

  test("never evict a busy sandbox: the caller waits for its end", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 128 });
    const [one, two] = callers(2) as [Caller, Caller];
    const first = pools.open(makeFunction());
    first.acquire(one);
    await settle();
    const second = pools.open(makeFunction({}, { name: "second", functionId: "fn-2" }));
    second.acquire(two);
    await settle();
    assert.equal(two.settled, false);
    first.release(one.sandbox as PooledSandbox);
    first.retire("deleted");
    await settle();
    assert.equal(two.kind, "cold");
  });

  test("refuse at once a function that exceeds the whole budget", async () => {
    const pool = bench.pools({ memoryBudgetMiB: 128 }).open(makeFunction({ memoryMiB: 256 }));
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    assert.equal(caller.error?.code, "sandbox_start_failed");
    assert.match(caller.error?.message ?? "", /256 MiB.*128 MiB/);
  });

  test("move waiting callers to the next revision and let running ones finish", async () => {
    const pools = bench.pools();
    const old = pools.open(makeFunction({ maxSandboxes: 1 }));
    const [running, waiting] = callers(2) as [Caller, Caller];
    old.acquire(running);
    await settle();
    old.acquire(waiting);
    const next = pools.open(makeFunction({}, { revision: 2 }));
    pools.replace(old, next);
    await settle();
    assert.equal(waiting.sandbox?.owner, next);
    assert.equal(bench.driver.sandboxes[0]?.destroyedFor, null);
    old.release(running.sandbox as PooledSandbox);
    await settle();
    assert.equal(bench.driver.sandboxes[0]?.destroyedFor, "replaced");
    assert.equal(pools.status().pools.length, 1);
  });

  test("refuse the waiting callers of a deleted function", async () => {
    const pools = bench.pools();
    const pool = pools.open(makeFunction());
    bench.driver.behaviour.onInit = () => "hang";
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    pools.remove(pool);
    await settle();
    assert.equal(caller.error?.code, "route_not_found");
    assert.equal(bench.driver.alive.length, 0);
  });

  test("retry a blank sandbox that does not start, later and later", async () => {
    bench.driver.behaviour.onStart = async () => {
      throw new Error("no engine");
    };
    const pools = bench.pools({ blanks: { nodejs: 1, python: 0 } });
    pools.start();
    await settle();
    assert.equal(bench.driver.starts, 1);
    bench.clock.advance(100);
    await settle();
    assert.equal(bench.driver.starts, 2);
    bench.clock.advance(100);
    await settle();
    assert.equal(bench.driver.starts, 2, "the second wait is longer");
    assert.equal(bench.problems.length, 2);
    await pools.close();
  });

  test("tell the driver what is made ahead, and what somebody waits for", async () => {
    const pools = bench.pools({ blanks: { nodejs: 1, python: 0 } });
    pools.start();
    await settle();
    assert.deepEqual(
      bench.driver.specs.map(({ isAhead }) => isAhead),
      [true],
    );
    const pool = pools.open(makeFunction());
    // The first takes what is there.
    for (const caller of callers(2)) pool.acquire(caller);
    await settle();
    const awaited = bench.driver.specs.filter(({ isAhead }) => isAhead === undefined);
    assert.equal(awaited.length, 1);
    await pools.close();
  });

  test("refuse the waiting callers as they close, and whoever comes later", async () => {
    const pools = bench.pools();
    const pool = pools.open(makeFunction({ maxSandboxes: 1 }));
    const [inside, waiting, late] = callers(3) as [Caller, Caller, Caller];
    pool.acquire(inside);
    await settle();
    pool.acquire(waiting);
    const closing = pools.close();
    assert.equal(waiting.error?.code, "shutting_down");
    pool.acquire(late);
    assert.equal(late.error?.code, "shutting_down");
    assert.throws(() => pools.open(makeFunction()), { code: "shutting_down" });
    await closing;
  });

  test("leave nothing reserved and nothing alive after close", async () => {
    const pools = bench.pools({ blanks: { nodejs: 2, python: 0 } });
    pools.start();
    const pool = pools.open(makeFunction());
    const all = callers(3);
    for (const caller of all) pool.acquire(caller);
    await settle();
    await pools.close();
    await settle();
    assert.equal(bench.driver.alive.length, 0);
    assert.equal(pools.budget.reservedMiB, 0);
  });
});
