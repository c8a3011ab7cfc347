import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { PooledSandbox } from "./pooled-sandbox.ts";
import { type Caller, PoolBench, callers, makeFunction, settle } from "./testing/pool-bench.ts";

let bench: PoolBench;

beforeEach(() => {
  bench = new PoolBench();
});

describe("a revision's pool", () => {
  test("starts a sandbox for the first caller and keeps it warm for the next", async () => {
    const pool = bench.pools().open(makeFunction());
    const [first, second] = callers(2) as [Caller, Caller];
    pool.acquire(first);
    await settle();
    assert.equal(first.kind, "cold");
    assert.equal(first.phases?.startMs, 0);
    pool.release(first.sandbox as PooledSandbox);
    pool.acquire(second);
    assert.equal(second.kind, "warm");
    assert.equal(second.sandbox, first.sandbox);
    assert.equal(bench.driver.starts, 1);
  });

  test("takes a blank sandbox where one waits, and sets the function's limits", async () => {
    const pools = bench.pools({ blanks: { nodejs: 1, python: 0 } });
    pools.start();
    await settle();
    const pool = pools.open(makeFunction({ memoryMiB: 256 }));
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    assert.equal(caller.kind, "prewarmed");
    assert.equal(caller.phases?.startMs, 0);
    assert.equal(bench.driver.sandboxes[0]?.memoryBytes, 256 * 1_048_576 + 1000);
    assert.equal(bench.driver.starts, 2, "the blank pool refilled");
    assert.equal(pools.budget.reservedMiB, 256 + 128);
  });

  test("starts one sandbox for every `concurrency` waiters", async () => {
    const pool = bench.pools().open(makeFunction({ concurrency: 2 }));
    const all = callers(5);
    for (const caller of all) pool.acquire(caller);
    await settle();
    assert.equal(bench.driver.starts, 3);
    assert.ok(all.every((caller) => caller.sandbox !== null));
    assert.equal(pool.running, 5);
  });

  test("never exceeds maxSandboxes and hands freed sandboxes to waiters in order", async () => {
    const pool = bench.pools().open(makeFunction({ maxSandboxes: 1 }));
    const [first, second, third] = callers(3) as [Caller, Caller, Caller];
    for (const caller of [first, second, third]) pool.acquire(caller);
    await settle();
    assert.equal(bench.driver.starts, 1);
    assert.equal(second.settled, false);
    bench.clock.advance(7);
    pool.release(first.sandbox as PooledSandbox);
    assert.equal(second.kind, "warm");
    assert.equal(second.phases?.queueMs, 7);
    assert.equal(third.settled, false);
  });

  test("refuses beyond the queue's length and after the queue's time", async () => {
    const pool = bench.pools().open(makeFunction({ maxSandboxes: 1 }));
    const all = callers(8);
    pool.acquire(all[0] as Caller);
    await settle();
    for (const caller of all.slice(1)) pool.acquire(caller);
    assert.deepEqual(
      all.slice(6).map((caller) => caller.error?.code),
      ["too_many_requests", "too_many_requests"],
    );
    bench.clock.advance(300);
    assert.deepEqual(
      all.slice(1, 6).map((caller) => caller.error?.code),
      Array.from({ length: 5 }, () => "queue_timeout"),
    );
    assert.equal(pool.queued, 0);
  });

  test("calls no method of a waiter that has withdrawn", async () => {
    const pool = bench.pools().open(makeFunction());
    const [gone] = callers(1) as [Caller];
    pool.acquire(gone)?.withdraw();
    await settle();
    bench.clock.advance(10_000);
    assert.equal(gone.calls, 0);
    assert.equal(pool.queued, 0);
  });

  test("fails only the callers of a failed init, with the function's words", async () => {
    const pool = bench.pools().open(makeFunction({ concurrency: 2, maxSandboxes: 1 }));
    bench.driver.behaviour.onInit = () => "no module named x";
    const all = callers(3);
    for (const caller of all) pool.acquire(caller);
    await settle();
    assert.deepEqual(
      all.map((caller) => caller.error?.code),
      ["init_failed", "init_failed", "init_failed"],
    );
    assert.match(all[0]?.error?.message ?? "", /no module named x/);
    assert.equal(bench.driver.starts, 2, "the third caller had a start of its own");
    assert.equal(bench.driver.alive.length, 0);
  });

  test("ends an init that takes too long, and the sandbox with it", async () => {
    const pools = bench.pools();
    const pool = pools.open(makeFunction());
    bench.driver.behaviour.onInit = () => "hang";
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    bench.clock.advance(400);
    assert.equal(
      caller.settled,
      false,
      "the queue's limit does not count while a start is under way",
    );
    bench.clock.advance(100);
    await settle();
    assert.equal(caller.error?.code, "init_timeout");
    assert.equal(bench.driver.sandboxes[0]?.destroyedFor, "timeout");
    assert.equal(pools.budget.reservedMiB, 0);
  });

  test("answers at the end of initTimeoutMs, although the code never comes from the disk", async () => {
    const code = async function* () {
      await new Promise(() => {});
      yield Buffer.from("never");
    };
    const pool = bench.pools({ code }).open(makeFunction());
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    bench.clock.advance(500);
    await settle();
    assert.equal(caller.error?.code, "init_timeout");
    assert.equal(pool.starting, 0);
    assert.equal(bench.driver.alive.length, 0);
  });

  test("gives up a start that hangs in the driver", async () => {
    const pools = bench.pools();
    const pool = pools.open(makeFunction());
    let goOn: () => void = () => {};
    bench.driver.behaviour.onStart = () =>
      new Promise((resolve) => {
        goOn = resolve;
      });
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    bench.clock.advance(500);
    goOn();
    await settle();
    assert.equal(caller.error?.code, "init_timeout");
    assert.equal(pools.budget.reservedMiB, 0);
  });

  test("never hands out a sandbox that has died while idle", async () => {
    const pool = bench.pools().open(makeFunction());
    const [first, second] = callers(2) as [Caller, Caller];
    pool.acquire(first);
    await settle();
    pool.release(first.sandbox as PooledSandbox);
    bench.driver.sandboxes[0]?.crash();
    await settle();
    pool.acquire(second);
    await settle();
    assert.equal(second.kind, "cold");
    assert.notEqual(second.sandbox, first.sandbox);
  });

  test("destroys an abandoned sandbox once those inside have ended, and replaces it", async () => {
    const pool = bench.pools().open(makeFunction({ concurrency: 2, maxSandboxes: 1 }));
    const [late, other, next] = callers(3) as [Caller, Caller, Caller];
    pool.acquire(late);
    pool.acquire(other);
    await settle();
    assert.equal(bench.driver.starts, 1);
    pool.abandon(late.sandbox as PooledSandbox, "timeout");
    pool.acquire(next);
    await settle();
    assert.equal(next.settled, false, "a draining sandbox takes no one");
    assert.equal(bench.driver.sandboxes[0]?.destroyedFor, null);
    pool.release(other.sandbox as PooledSandbox);
    await settle();
    assert.equal(bench.driver.sandboxes[0]?.destroyedFor, "timeout");
    assert.equal(next.kind, "cold");
  });

  test("destroys idle sandboxes after idleTimeoutMs, down to minSandboxes", async () => {
    const pool = bench.pools().open(makeFunction({ minSandboxes: 1 }));
    const all = callers(3);
    for (const caller of all) pool.acquire(caller);
    await settle();
    for (const caller of all) pool.release(caller.sandbox as PooledSandbox);
    bench.clock.advance(4999);
    assert.equal(bench.driver.alive.length, 3);
    bench.clock.advance(1);
    await settle();
    assert.equal(bench.driver.alive.length, 1);
  });

  test("keeps minSandboxes without any call, also after one dies", async () => {
    bench.pools().open(makeFunction({ minSandboxes: 2 }));
    await settle();
    assert.equal(bench.driver.alive.length, 2);
    bench.clock.advance(10_000);
    bench.driver.sandboxes[0]?.crash();
    await settle();
    assert.equal(bench.driver.alive.length, 2);
    assert.equal(bench.driver.starts, 3);
  });

  test("replaces a kept sandbox that ends as soon as it is ready later and later", async () => {
    bench.pools().open(makeFunction({ minSandboxes: 1 }));
    await settle();
    bench.driver.sandboxes[0]?.crash();
    await settle();
    assert.equal(bench.driver.starts, 1);
    bench.clock.advance(1000);
    await settle();
    assert.equal(bench.driver.starts, 2);
    bench.driver.sandboxes[1]?.crash();
    await settle();
    bench.clock.advance(1999);
    await settle();
    assert.equal(bench.driver.starts, 2);
    bench.clock.advance(1);
    await settle();
    assert.equal(bench.driver.starts, 3);
  });
});
