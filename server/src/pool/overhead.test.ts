import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { overheadMiB } from "../domain/function.ts";
import { InProcessDriver } from "./testing/in-process-driver.ts";
import { type Caller, PoolBench, callers, makeFunction, settle } from "./testing/pool-bench.ts";

const settings = { driver: "gvisor" } as const;

/** Pools of a driver whose sandboxes have a kernel of their own. */
function stand(options: { memoryBudgetMiB?: number; blanks?: number } = {}) {
  const bench = new PoolBench();
  const driver = new InProcessDriver("gvisor");
  const { memoryBudgetMiB = 1000, blanks = 0 } = options;
  const pools = bench.pools({
    ...{ drivers: new Map([["gvisor", driver]]), memoryBudgetMiB },
    ...{ blanks: { nodejs: blanks, python: 0 }, defaultDriver: "gvisor" },
  });
  return { driver, pools };
}

describe("a sandbox with a kernel of its own", () => {
  test("counts with that in the memory budget, from its start to its end", async () => {
    const { pools } = stand();
    const pool = pools.open(makeFunction(settings));
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    assert.equal(pools.budget.reservedMiB, 128 + overheadMiB.gvisor);
    await pools.close();
    assert.equal(pools.budget.reservedMiB, 0);
  });

  test("is refused at once where it fits without that, and not with it", () => {
    const { pools } = stand({ memoryBudgetMiB: 128 + overheadMiB.gvisor - 1 });
    const [caller] = callers(1) as [Caller];
    pools.open(makeFunction(settings)).acquire(caller);
    assert.equal(caller.error?.code, "sandbox_start_failed");
  });

  test("counts the same while it is blank, and when it is taken", async () => {
    const { pools, driver } = stand({ blanks: 2 });
    pools.start();
    await settle();
    const pool = pools.open(makeFunction({ ...settings, memoryMiB: 256 }));
    assert.equal(driver.sandboxes.length, 2);
    assert.equal(pools.budget.reservedMiB, 2 * (128 + overheadMiB.gvisor));
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    assert.equal(caller.kind, "prewarmed");
    assert.equal(caller.sandbox?.reservedMiB, 256 + overheadMiB.gvisor);
    await pools.close();
    assert.equal(pools.budget.reservedMiB, 0);
  });
});
