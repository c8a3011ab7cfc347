import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { SamplePart } from "../domain/gateway-sample.ts";
import type { PooledSandbox } from "./pooled-sandbox.ts";
import type { InProcessSandbox } from "./testing/in-process-driver.ts";
import { Caller, PoolBench, callers, makeFunction, settle } from "./testing/pool-bench.ts";

let bench: PoolBench;

beforeEach(() => {
  bench = new PoolBench();
});

const labels = {
  ...{ project: "default", functionName: "hello", functionId: "fn-1", revision: 1 },
  driver: "process",
};
const uses = (cpuMicros: number) => ({ memoryBytes: 2 ** 21, cpuMicros, pids: 1 });
const only = (parts: SamplePart[]) => {
  const [part, ...others] = parts;
  assert.deepEqual([{ ...part, values: {} }, others], [{ ...labels, values: {} }, []]);
  return part?.values ?? {};
};

describe("a sample of the pools", () => {
  test("says what there is of a function and what was started, and counts a start once", async () => {
    const pools = bench.pools();
    const pool = pools.open(makeFunction({ memoryMiB: 512 }));
    const two = callers(2);
    for (const caller of two) pool.acquire(caller);
    await settle();
    pool.release(two[0]?.sandbox as PooledSandbox);
    bench.clock.advance(50);
    const first = only(pools.sample());
    const { sandboxGbSeconds, ...rest } = first;
    assert.deepEqual(rest, {
      ...{ starts: 2, "sandboxes:idle": 1, "sandboxes:busy": 1, running: 1, memoryReserved: 1024 },
    });
    assert.equal(sandboxGbSeconds, (2 * 0.5 * 50) / 1000);
    assert.equal(only(pools.sample()).starts, undefined);
  });

  test("has all memory and CPU time of a sandbox once, up to its end", async () => {
    const pools = bench.pools();
    const pool = pools.open(makeFunction());
    const caller = new Caller();
    pool.acquire(caller);
    await settle();
    const inside = bench.driver.sandboxes[0] as InProcessSandbox;
    inside.used = uses(3000);
    pools.sample();
    await settle();
    const { sandboxCpu, memoryUsed } = only(pools.sample());
    assert.deepEqual([sandboxCpu, memoryUsed], [3, 2]);
    bench.clock.advance(1000);
    inside.used = uses(10_000);
    pool.abandon(caller.sandbox as PooledSandbox, "timeout");
    await settle();
    const last = only(pools.sample());
    assert.deepEqual([last.sandboxCpu, last["ends:timeout"]], [7, 1]);
    assert.equal(last.sandboxGbSeconds, 0.125);
    assert.deepEqual(pools.sample(), []);
  });

  test("does not ask a sandbox again that nobody has called since", async () => {
    const pools = bench.pools();
    const pool = pools.open(makeFunction());
    const caller = new Caller();
    pool.acquire(caller);
    await settle();
    pool.release(caller.sandbox as PooledSandbox);
    const inside = bench.driver.sandboxes[0] as InProcessSandbox;
    inside.used = uses(1);
    for (let turn = 0; turn < 3; turn += 1) {
      pools.sample();
      await settle();
    }
    assert.equal(inside.readings, 1);
  });

  test("counts blank sandboxes and failed starts for their driver, and callers who wait for their function", async () => {
    const pools = bench.pools({ blanks: { nodejs: 1, python: 0 } });
    pools.start();
    await settle();
    const [blank, ...others] = pools.sample();
    assert.deepEqual(others, []);
    assert.deepEqual([blank?.functionName, blank?.driver], ["", "process"]);
    assert.deepEqual([blank?.values.starts, blank?.values["sandboxes:blank"]], [1, 1]);
    bench.driver.behaviour.onStart = () => Promise.reject(new Error("no"));
    const pool = pools.open(makeFunction({ maxSandboxes: 1 }));
    for (const caller of callers(3)) pool.acquire(caller);
    await settle();
    const parts = pools.sample();
    const queued = parts.find(({ values }) => values.queued !== undefined);
    assert.deepEqual([queued?.functionName, queued?.values.queued], ["hello", 2]);
    const failed = parts.find(({ values }) => values.startFailures !== undefined);
    assert.equal(failed?.driver, "process");
  });
});
