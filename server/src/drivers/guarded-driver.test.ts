import assert from "node:assert/strict";
import { PassThrough, duplexPair } from "node:stream";
import { describe, test } from "node:test";
import type { Driver, Sandbox, SandboxExit, SandboxSpec } from "./driver.ts";
import { guardDriver } from "./guarded-driver.ts";

const spec: SandboxSpec = {
  id: "sb-1",
  runtime: {
    name: "test",
    family: "nodejs",
    version: "1",
    executable: "/nowhere",
    args: [],
    runtimeDir: "/nowhere",
    needs: [],
  },
  limits: { memoryBytes: 1, pidsMax: 1 },
  tmpBytes: 1,
};

/** A sandbox of a driver that keeps none of its promises, and counts what it is asked. */
class CarelessSandbox implements Sandbox {
  readonly id = "sb-1";
  readonly taskRoot = "/var/task";
  readonly control = duplexPair()[0];
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly exited: Promise<SandboxExit> = new Promise(() => {});
  destroys = 0;

  async applyLimits(): Promise<void> {
    throw new TypeError("no such file");
  }

  async usage(): Promise<never> {
    throw new TypeError("no such file");
  }

  async freeze(): Promise<never> {
    throw new TypeError("no such file");
  }

  async thaw(): Promise<never> {
    throw new TypeError("no such file");
  }

  async destroy(): Promise<never> {
    this.destroys += 1;
    throw new TypeError("cannot");
  }
}

function driverWith(start: Driver["start"]): Driver {
  return {
    name: "process",
    start,
    probe: () => Promise.reject(new Error("not asked")),
    sweep: async () => ({ removed: [] }),
    close: async () => {},
  };
}

const never = new AbortController().signal;

describe("a guarded driver", () => {
  test("makes every failure of a start sandbox_start_failed, with its cause", async () => {
    const cause = new TypeError("spawn ENOMEM");
    const driver = guardDriver(driverWith(() => Promise.reject(cause)));
    await assert.rejects(driver.start(spec, never), (error: { code: string; cause: unknown }) => {
      assert.equal(error.code, "sandbox_start_failed");
      return error.cause === cause;
    });
  });

  test("also when the driver throws instead of rejecting", async () => {
    const driver = guardDriver(
      driverWith(() => {
        throw new TypeError("at once");
      }),
    );
    await assert.rejects(driver.start(spec, never), { code: "sandbox_start_failed" });
  });

  test("destroys a sandbox that arrives after its start was given up", async () => {
    const late = Promise.withResolvers<Sandbox>();
    let seen: AbortSignal | null = null;
    const driver = guardDriver(
      driverWith((_, signal) => {
        seen = signal;
        return late.promise;
      }),
    );
    const giveUp = new AbortController();
    const starting = driver.start(spec, giveUp.signal);
    giveUp.abort();
    await assert.rejects(starting, { code: "sandbox_start_failed" });
    assert.equal((seen as AbortSignal | null)?.aborted, true);
    const sandbox = new CarelessSandbox();
    late.resolve(sandbox);
    await new Promise(setImmediate);
    assert.equal(sandbox.destroys, 1);
  });

  test("ends a start that takes too long", async () => {
    const driver = guardDriver(
      driverWith(() => new Promise(() => {})),
      5,
    );
    await assert.rejects(driver.start(spec, never), /took longer than 5 ms/);
  });

  test("destroys once, whoever asks, and never rejects", async () => {
    const inner = new CarelessSandbox();
    const sandbox = await guardDriver(driverWith(async () => inner)).start(spec, never);
    const reports = await Promise.all([sandbox.destroy("idle"), sandbox.destroy("timeout")]);
    assert.equal(inner.destroys, 1);
    assert.equal(reports[0], reports[1]);
    assert.equal(reports[0]?.isConfirmed, false);
  });

  test("asks again for what was not confirmed to be gone", async () => {
    const careless = new CarelessSandbox();
    const slow = new CarelessSandbox();
    let asked = 0;
    slow.destroy = (async () => ({ isConfirmed: ++asked > 1, tookMs: 0 })) as never;
    for (const inner of [careless, slow]) {
      const sandbox = await guardDriver(driverWith(async () => inner)).start(spec, never);
      await sandbox.destroy("idle");
      await sandbox.destroy("idle");
      await sandbox.destroy("idle");
    }
    assert.equal(careless.destroys, 3);
    assert.equal(asked, 2, "and no more once it is confirmed");
  });

  test("lets a dead sandbox stay dead", async () => {
    const sandbox = await guardDriver(driverWith(async () => new CarelessSandbox())).start(
      spec,
      never,
    );
    await assert.rejects(sandbox.applyLimits(spec.limits), /no such file/);
    await sandbox.destroy("idle");
    await assert.rejects(sandbox.applyLimits(spec.limits), /has ended/);
    assert.deepEqual(await sandbox.usage(), { memoryBytes: null, cpuMicros: null, pids: null });
  });
});
