import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { InvocationRecord } from "../domain/invocation.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import type { RevisionPool } from "../pool/revision-pool.ts";
import type { InProcessSandbox } from "../pool/testing/in-process-driver.ts";
import { Caller, PoolBench, makeFunction, settle } from "../pool/testing/pool-bench.ts";
import { invocation } from "../store/conformance/fixture.ts";
import { CallMeter, type CallUse, useOf } from "./call-meter.ts";

let bench: PoolBench;
let meter: CallMeter;
let pool: RevisionPool;
let known: InvocationRecord[];

beforeEach(() => {
  bench = new PoolBench();
  meter = new CallMeter(bench.clock);
  pool = bench.pools().open(makeFunction({ concurrency: 2 }));
  known = [];
});

const inside = () => bench.driver.sandboxes[0] as InProcessSandbox;

async function begin(): Promise<CallUse> {
  const caller = new Caller();
  pool.acquire(caller);
  await settle();
  return useOf(caller.sandbox as PooledSandbox);
}

/** The call ends, having brought what its sandbox used to that. */
async function end(use: CallUse, cpuMicros: number, memoryPeakBytes = 100): Promise<void> {
  inside().used = { memoryBytes: 1, cpuMicros, pids: 1, memoryPeakBytes };
  pool.release(use.sandbox);
  meter.measure(invocation(), use, (record) => known.push(record));
  await settle();
}

const told = () => known.map(({ cpuMs, memoryPeakBytes }) => [cpuMs, memoryPeakBytes]);

describe("what a call took", () => {
  test("is the difference of two readings between which it was alone, with the start for the first", async () => {
    await end(await begin(), 5000);
    bench.clock.advance(300);
    await end(await begin(), 7500, 200);
    assert.deepEqual(told(), [
      [5, 100],
      [2.5, 200],
    ]);
  });

  test("is not known where another call was in its sandbox, whichever came first", async () => {
    const first = await begin();
    const second = await begin();
    assert.equal(second.sandbox, first.sandbox);
    await end(first, 1000);
    await end(second, 2000);
    assert.deepEqual(told(), [
      [null, null],
      [null, 100],
    ]);
    bench.clock.advance(300);
    await end(await begin(), 2600);
    assert.deepEqual(told()[2], [0.6, 100]);
  });

  test("is not known where the next call came before the reading", async () => {
    const held = Promise.withResolvers<void>();
    bench.driver.behaviour.onUsage = () => held.promise;
    await end(await begin(), 1000);
    assert.deepEqual(known, []);
    await begin();
    held.resolve();
    await meter.settled();
    assert.deepEqual(told(), [[null, null]]);
  });

  test("is asked for a few times a second, and records go on at once where it is not", async () => {
    for (let call = 0; call < 20; call += 1) {
      await end(await begin(), call * 1000);
      bench.clock.advance(50);
    }
    assert.equal(known.length, 20);
    assert.equal(inside().readings, 4);
  });

  test("does not hold up a drain for ever", async () => {
    bench.driver.behaviour.onUsage = () => new Promise(() => {});
    await end(await begin(), 1000);
    const settled = meter.settled();
    bench.clock.advance(3000);
    await settled;
    assert.deepEqual(known, []);
  });
});
