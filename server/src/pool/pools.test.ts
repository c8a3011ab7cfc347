import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { DeployedFunction, RevisionSettings } from "../domain/function.ts";
import type { StartKind } from "../domain/invocation.ts";
import type { IsolaError } from "../errors.ts";
import type { PooledSandbox } from "./pooled-sandbox.ts";
import { Pools, type PoolsOptions } from "./pools.ts";
import type { LeasePhases, Waiter } from "./queue.ts";
import { InProcessDriver } from "./testing/in-process-driver.ts";
import { ManualClock } from "./testing/manual-clock.ts";

let clock: ManualClock;
let driver: InProcessDriver;
let problems: string[];

beforeEach(() => {
  clock = new ManualClock();
  driver = new InProcessDriver();
  problems = [];
});

const runtime = {
  name: "nodejs26",
  family: "nodejs" as const,
  version: "26.0.0",
  executable: "/node",
  args: [],
  runtimeDir: "/",
  needs: [],
};

function makePools(options: Partial<PoolsOptions> = {}): Pools {
  return new Pools({
    bootId: "test",
    clock,
    drivers: new Map([["process", driver]]),
    runtimes: new Map([["nodejs26", runtime]]),
    memoryBudgetMiB: 128 * 100,
    startsAtOnceMax: 100,
    queueLengthMax: 5,
    blanks: { nodejs: 0, python: 0 },
    code: () => [Buffer.from("code")],
    events: { onLog: () => {}, onRaw: () => {} },
    onProblem: (message) => problems.push(message),
    ...options,
  });
}

function makeFunction(
  settings: Partial<RevisionSettings> = {},
  identity: Partial<DeployedFunction> = {},
): DeployedFunction {
  return {
    project: "default",
    name: "hello",
    functionId: "fn-1",
    revision: 1,
    artifact: { digest: "00", bytes: 1, entries: 1, unpackedBytes: 1000 },
    settings: {
      runtime: "nodejs26",
      handler: "index.handler",
      route: null,
      driver: "process",
      memoryMiB: 128,
      tmpMiB: 64,
      timeoutMs: 1000,
      initTimeoutMs: 500,
      queueTimeoutMs: 300,
      concurrency: 1,
      minSandboxes: 0,
      maxSandboxes: 10,
      idleTimeoutMs: 5000,
      env: {},
      exposeErrors: false,
      ...settings,
    },
    ...identity,
  };
}

/** Someone who waits, and remembers what came of it. */
class Caller implements Waiter {
  sandbox: PooledSandbox | null = null;
  kind: StartKind | null = null;
  phases: LeasePhases | null = null;
  error: IsolaError | null = null;
  calls = 0;

  onLease(sandbox: PooledSandbox, kind: StartKind, phases: LeasePhases): void {
    this.calls += 1;
    this.sandbox = sandbox;
    this.kind = kind;
    this.phases = phases;
  }

  onRefused(error: IsolaError): void {
    this.calls += 1;
    this.error = error;
  }

  get settled(): boolean {
    return this.calls > 0;
  }
}

function callers(count: number): Caller[] {
  return Array.from({ length: count }, () => new Caller());
}

/** Lets everything that can happen without time passing happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe("a revision's pool", () => {
  test("starts a sandbox for the first caller and keeps it warm for the next", async () => {
    const pool = makePools().open(makeFunction());
    const [first, second] = callers(2) as [Caller, Caller];
    pool.acquire(first);
    await settle();
    assert.equal(first.kind, "cold");
    assert.equal(first.phases?.startMs, 0);
    pool.release(first.sandbox as PooledSandbox);
    pool.acquire(second);
    assert.equal(second.kind, "warm");
    assert.equal(second.sandbox, first.sandbox);
    assert.equal(driver.starts, 1);
  });

  test("takes a blank sandbox where one waits, and sets the function's limits", async () => {
    const pools = makePools({ blanks: { nodejs: 1, python: 0 } });
    pools.start();
    await settle();
    const pool = pools.open(makeFunction({ memoryMiB: 256 }));
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    assert.equal(caller.kind, "prewarmed");
    assert.equal(caller.phases?.startMs, 0);
    assert.equal(driver.sandboxes[0]?.memoryBytes, 256 * 1_048_576 + 1000);
    assert.equal(driver.starts, 2, "the blank pool refilled");
    assert.equal(pools.budget.reservedMiB, 256 + 128);
  });

  test("starts one sandbox for every `concurrency` waiters", async () => {
    const pool = makePools().open(makeFunction({ concurrency: 2 }));
    const all = callers(5);
    for (const caller of all) pool.acquire(caller);
    await settle();
    assert.equal(driver.starts, 3);
    assert.ok(all.every((caller) => caller.sandbox !== null));
    assert.equal(pool.running, 5);
  });

  test("never exceeds maxSandboxes and hands freed sandboxes to waiters in order", async () => {
    const pool = makePools().open(makeFunction({ maxSandboxes: 1 }));
    const [first, second, third] = callers(3) as [Caller, Caller, Caller];
    for (const caller of [first, second, third]) pool.acquire(caller);
    await settle();
    assert.equal(driver.starts, 1);
    assert.equal(second.settled, false);
    clock.advance(7);
    pool.release(first.sandbox as PooledSandbox);
    assert.equal(second.kind, "warm");
    assert.equal(second.phases?.queueMs, 7);
    assert.equal(third.settled, false);
  });

  test("refuses beyond the queue's length and after the queue's time", async () => {
    const pool = makePools().open(makeFunction({ maxSandboxes: 1 }));
    const all = callers(8);
    pool.acquire(all[0] as Caller);
    await settle();
    for (const caller of all.slice(1)) pool.acquire(caller);
    assert.deepEqual(
      all.slice(6).map((caller) => caller.error?.code),
      ["too_many_requests", "too_many_requests"],
    );
    clock.advance(300);
    assert.deepEqual(
      all.slice(1, 6).map((caller) => caller.error?.code),
      Array.from({ length: 5 }, () => "queue_timeout"),
    );
    assert.equal(pool.queued, 0);
  });

  test("calls no method of a waiter that has withdrawn", async () => {
    const pool = makePools().open(makeFunction());
    const [gone] = callers(1) as [Caller];
    pool.acquire(gone)?.withdraw();
    await settle();
    clock.advance(10_000);
    assert.equal(gone.calls, 0);
    assert.equal(pool.queued, 0);
  });

  test("fails only the callers of a failed init, with the function's words", async () => {
    const pool = makePools().open(makeFunction({ concurrency: 2, maxSandboxes: 1 }));
    driver.behaviour.onInit = () => "no module named x";
    const all = callers(3);
    for (const caller of all) pool.acquire(caller);
    await settle();
    assert.deepEqual(
      all.map((caller) => caller.error?.code),
      ["init_failed", "init_failed", "init_failed"],
    );
    assert.match(all[0]?.error?.message ?? "", /no module named x/);
    assert.equal(driver.starts, 2, "the third caller had a start of its own");
    assert.equal(driver.alive.length, 0);
  });

  test("ends an init that takes too long, and the sandbox with it", async () => {
    const pools = makePools();
    const pool = pools.open(makeFunction());
    driver.behaviour.onInit = () => "hang";
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    clock.advance(400);
    assert.equal(
      caller.settled,
      false,
      "the queue's limit does not count while a start is under way",
    );
    clock.advance(100);
    await settle();
    assert.equal(caller.error?.code, "init_timeout");
    assert.equal(driver.sandboxes[0]?.destroyedFor, "timeout");
    assert.equal(pools.budget.reservedMiB, 0);
  });

  test("gives up a start that hangs in the driver", async () => {
    const pools = makePools();
    const pool = pools.open(makeFunction());
    let goOn: () => void = () => {};
    driver.behaviour.onStart = () =>
      new Promise((resolve) => {
        goOn = resolve;
      });
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    clock.advance(500);
    goOn();
    await settle();
    assert.equal(caller.error?.code, "init_timeout");
    assert.equal(pools.budget.reservedMiB, 0);
  });

  test("never hands out a sandbox that has died while idle", async () => {
    const pool = makePools().open(makeFunction());
    const [first, second] = callers(2) as [Caller, Caller];
    pool.acquire(first);
    await settle();
    pool.release(first.sandbox as PooledSandbox);
    driver.sandboxes[0]?.crash();
    await settle();
    pool.acquire(second);
    await settle();
    assert.equal(second.kind, "cold");
    assert.notEqual(second.sandbox, first.sandbox);
  });

  test("destroys an abandoned sandbox once those inside have ended, and replaces it", async () => {
    const pool = makePools().open(makeFunction({ concurrency: 2, maxSandboxes: 1 }));
    const [late, other, next] = callers(3) as [Caller, Caller, Caller];
    pool.acquire(late);
    pool.acquire(other);
    await settle();
    assert.equal(driver.starts, 1);
    pool.abandon(late.sandbox as PooledSandbox, "timeout");
    pool.acquire(next);
    await settle();
    assert.equal(next.settled, false, "a draining sandbox takes no one");
    assert.equal(driver.sandboxes[0]?.destroyedFor, null);
    pool.release(other.sandbox as PooledSandbox);
    await settle();
    assert.equal(driver.sandboxes[0]?.destroyedFor, "timeout");
    assert.equal(next.kind, "cold");
  });

  test("destroys idle sandboxes after idleTimeoutMs, down to minSandboxes", async () => {
    const pool = makePools().open(makeFunction({ minSandboxes: 1 }));
    const all = callers(3);
    for (const caller of all) pool.acquire(caller);
    await settle();
    for (const caller of all) pool.release(caller.sandbox as PooledSandbox);
    clock.advance(4999);
    assert.equal(driver.alive.length, 3);
    clock.advance(1);
    await settle();
    assert.equal(driver.alive.length, 1);
  });

  test("keeps minSandboxes without any call, also after one dies", async () => {
    makePools().open(makeFunction({ minSandboxes: 2 }));
    await settle();
    assert.equal(driver.alive.length, 2);
    driver.sandboxes[0]?.crash();
    await settle();
    assert.equal(driver.alive.length, 2);
    assert.equal(driver.starts, 3);
  });
});

describe("pools together", () => {
  test("evict the sandbox that has been idle longest when memory is needed", async () => {
    const pools = makePools({ memoryBudgetMiB: 256 });
    const [one, two, three] = callers(3) as [Caller, Caller, Caller];
    const first = pools.open(makeFunction());
    const second = pools.open(makeFunction({}, { name: "second", functionId: "fn-2" }));
    first.acquire(one);
    second.acquire(two);
    await settle();
    first.release(one.sandbox as PooledSandbox);
    clock.advance(10);
    second.release(two.sandbox as PooledSandbox);
    const third = pools.open(makeFunction({}, { name: "third", functionId: "fn-3" }));
    third.acquire(three);
    await settle();
    assert.equal(three.kind, "cold");
    assert.deepEqual(
      driver.sandboxes.map((sandbox) => sandbox.destroyedFor),
      ["evicted", null, null],
    );
    assert.equal(pools.budget.reservedMiB, 256);
  });

  test("never evict a busy sandbox: the caller waits for its end", async () => {
    const pools = makePools({ memoryBudgetMiB: 128 });
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
    const pool = makePools({ memoryBudgetMiB: 128 }).open(makeFunction({ memoryMiB: 256 }));
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    assert.equal(caller.error?.code, "sandbox_start_failed");
    assert.match(caller.error?.message ?? "", /256 MiB.*128 MiB/);
  });

  test("move waiting callers to the next revision and let running ones finish", async () => {
    const pools = makePools();
    const old = pools.open(makeFunction({ maxSandboxes: 1 }));
    const [running, waiting] = callers(2) as [Caller, Caller];
    old.acquire(running);
    await settle();
    old.acquire(waiting);
    const next = pools.open(makeFunction({}, { revision: 2 }));
    pools.replace(old, next);
    await settle();
    assert.equal(waiting.sandbox?.owner, next);
    assert.equal(driver.sandboxes[0]?.destroyedFor, null);
    old.release(running.sandbox as PooledSandbox);
    await settle();
    assert.equal(driver.sandboxes[0]?.destroyedFor, "replaced");
    assert.equal(pools.status().pools.length, 1);
  });

  test("refuse the waiting callers of a deleted function", async () => {
    const pools = makePools();
    const pool = pools.open(makeFunction());
    driver.behaviour.onInit = () => "hang";
    const [caller] = callers(1) as [Caller];
    pool.acquire(caller);
    await settle();
    pools.remove(pool);
    await settle();
    assert.equal(caller.error?.code, "route_not_found");
    assert.equal(driver.alive.length, 0);
  });

  test("retry a blank sandbox that does not start, later and later", async () => {
    driver.behaviour.onStart = async () => {
      throw new Error("no engine");
    };
    const pools = makePools({ blanks: { nodejs: 1, python: 0 } });
    pools.start();
    await settle();
    assert.equal(driver.starts, 1);
    clock.advance(100);
    await settle();
    assert.equal(driver.starts, 2);
    clock.advance(100);
    await settle();
    assert.equal(driver.starts, 2, "the second wait is longer");
    assert.equal(problems.length, 2);
    await pools.close();
  });

  test("leave nothing reserved and nothing alive after close", async () => {
    const pools = makePools({ blanks: { nodejs: 2, python: 0 } });
    pools.start();
    const pool = pools.open(makeFunction());
    const all = callers(3);
    for (const caller of all) pool.acquire(caller);
    await settle();
    await pools.close();
    await settle();
    assert.equal(driver.alive.length, 0);
    assert.equal(pools.budget.reservedMiB, 0);
  });
});
