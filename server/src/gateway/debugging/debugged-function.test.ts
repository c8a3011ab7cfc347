import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PooledSandbox } from "../../pool/pooled-sandbox.ts";
import {
  type Caller,
  PoolBench,
  callers,
  makeFunction,
  settle,
} from "../../pool/testing/pool-bench.ts";
import { debuggedFunction } from "./debugged-function.ts";

const HOUR_MS = 3_600_000;
const socket = { from: "/nowhere/1.sock", at: "/opt/isola/debugger.sock" };

describe("a debugged function", () => {
  test("has one sandbox from the start, which is neither frozen nor let go nor evicted", async () => {
    const bench = new PoolBench();
    const fn = debuggedFunction(makeFunction());
    const { memoryMiB } = fn.settings;
    const pools = bench.pools({ memoryBudgetMiB: memoryMiB + 127 });
    const debug = { socket, isAwaited: false, memoryMiB: 128 };
    const pool = pools.open(fn, { blanks: null, debug });
    await settle();
    const [caller, other] = callers(2) as [Caller, Caller];
    pool.acquire(caller);
    const sandbox = caller.sandbox as PooledSandbox;
    bench.clock.advance(2 * HOUR_MS);
    assert.equal(sandbox.state, "busy");
    pool.release(sandbox);
    pools.open(makeFunction({}, { name: "other", functionId: "fn-2" })).acquire(other);
    await settle();
    bench.clock.advance(HOUR_MS);
    assert.equal(sandbox.state, "idle");
    assert.equal(other.error?.code, "queue_timeout", "its memory is not taken for others");
    assert.deepEqual(
      bench.driver.sandboxes.map(({ destroyedFor }) => destroyedFor),
      [null],
    );
    await pools.close();
  });
});
