import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { PooledSandbox } from "./pooled-sandbox.ts";
import type { Pools } from "./pools.ts";
import { type Caller, PoolBench, callers, makeFunction, settle } from "./testing/pool-bench.ts";

let bench: PoolBench;

beforeEach(() => {
  bench = new PoolBench();
});

const named = (name: string) => ({ name, functionId: `fn-${name}` });
const readyBlanks = (pools: Pools) => pools.status().blankPools[0]?.ready;

describe("when memory or slots are short", () => {
  test("minSandboxes are started once a slot for starts is free, although nobody calls", async () => {
    const pools = bench.pools({ startsAtOnceMax: 1 });
    const all = ["a", "b", "c"].map((name) =>
      pools.open(makeFunction({ minSandboxes: 1 }, named(name))),
    );
    await settle();
    assert.deepEqual(
      all.map((pool) => pool.sandboxes.size),
      [1, 1, 1],
    );
  });

  test("a sandbox that becomes idle is evicted for a caller who waits for its memory", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 128 });
    const [one, two] = callers(2) as [Caller, Caller];
    const first = pools.open(makeFunction({}, named("a")));
    first.acquire(one);
    await settle();
    pools.open(makeFunction({}, named("b"))).acquire(two);
    await settle();
    assert.equal(two.settled, false);
    first.release(one.sandbox as PooledSandbox);
    await settle();
    assert.equal(two.kind, "cold");
    assert.equal(bench.driver.sandboxes[0]?.destroyedFor, "evicted");
  });

  test("blank sandboxes come back when the last caller who waited for memory has given up", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 384, blanks: { nodejs: 1, python: 0 } });
    const [holder, waiting] = callers(2) as [Caller, Caller];
    pools.open(makeFunction({ tmpMiB: 65 }, named("a"))).acquire(holder);
    await settle();
    pools.start();
    await settle();
    assert.equal(readyBlanks(pools), 1);
    const large = pools.open(makeFunction({ memoryMiB: 384, tmpMiB: 65 }, named("b")));
    large.acquire(waiting);
    await settle();
    assert.equal(readyBlanks(pools), 0, "it was evicted for the caller");
    bench.clock.advance(300);
    await settle();
    assert.equal(waiting.error?.code, "queue_timeout");
    assert.equal(readyBlanks(pools), 1);
  });

  test("blank sandboxes come back when the function whose caller waited was deleted", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 384, blanks: { nodejs: 1, python: 0 } });
    const [holder, waiting] = callers(2) as [Caller, Caller];
    const busy = pools.open(makeFunction({ tmpMiB: 65 }, named("a")));
    busy.acquire(holder);
    await settle();
    pools.start();
    const large = pools.open(makeFunction({ memoryMiB: 384, tmpMiB: 65 }, named("b")));
    large.acquire(waiting);
    await settle();
    pools.remove(large);
    await settle();
    assert.equal(readyBlanks(pools), 1);
  });

  test("a caller who waits long counts once towards the blank sandboxes kept", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 256, blanks: { nodejs: 1, python: 0 } });
    const [holder, waiting] = callers(2) as [Caller, Caller];
    const busy = pools.open(makeFunction({ memoryMiB: 129, tmpMiB: 65, concurrency: 2 }));
    busy.acquire(holder);
    await settle();
    pools.open(makeFunction({ memoryMiB: 200 }, named("b"))).acquire(waiting);
    for (let time = 0; time < 5; time += 1) {
      pools.replace(
        pools.open(makeFunction({}, named("c"))),
        pools.open(makeFunction({}, named("c"))),
      );
      await settle();
    }
    assert.equal(waiting.settled, false);
    assert.equal(pools.status().blankPools[0]?.target, 1);
  });

  test("minSandboxes evict nobody where that is not enough", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 384, blanks: { nodejs: 1, python: 0 } });
    const [holder] = callers(1) as [Caller];
    pools.open(makeFunction({ tmpMiB: 65 }, named("a"))).acquire(holder);
    await settle();
    pools.start();
    await settle();
    const large = pools.open(makeFunction({ memoryMiB: 384, minSandboxes: 1 }, named("b")));
    await settle();
    assert.equal(large.sandboxes.size, 0);
    assert.equal(readyBlanks(pools), 1);
    assert.equal(bench.driver.starts, 2, "and nothing was started and evicted in turn");
  });

  test("an idle sandbox of minSandboxes stays while another still starts", async () => {
    const pools = bench.pools({ memoryBudgetMiB: 384 });
    const [first, second, third] = callers(3) as [Caller, Caller, Caller];
    const kept = pools.open(makeFunction({ minSandboxes: 1 }, named("a")));
    await settle();
    kept.acquire(first);
    bench.driver.behaviour.onInit = () => "hang";
    const entry = kept.acquire(second);
    await settle();
    entry?.withdraw();
    kept.release(first.sandbox as PooledSandbox);
    pools.open(makeFunction({ memoryMiB: 256 }, named("b"))).acquire(third);
    await settle();
    assert.equal(bench.driver.sandboxes[0]?.destroyedFor, null);
  });
});
