import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Driver } from "../driver.ts";
import { HANG_MS, Session, destroyed, soon } from "./session.ts";
import type { Room, Stand } from "./stand.ts";

/** Start, work, end, and what is left when a life of the driver ends. */
export function lifeCases(stand: Stand): void {
  for (const family of ["nodejs", "python"] as const) {
    if (!stand.has(family)) continue;
    stand.case("hello", `a blank ${family} sandbox says hello`, async (room) => {
      const session = await room.blank(family);
      assert.equal((await soon(session.hello.promise, "hello")).runtime.startsWith(family), true);
    });

    stand.case("invoke", `${family} code is loaded and answers, again and again`, async (room) => {
      const session = await room.ready(family);
      for (const value of [1, 2, 3]) {
        const answer = await soon(session.invoke({ op: "echo", value }), "answer");
        assert.deepEqual(answer, { value, greeting: "hello" });
      }
    });
  }

  stand.case("exit-code", "an exit code is reported", async (room) => {
    const session = await room.ready();
    session.invokeAndForget({ op: "exit", code: 7 });
    const exit = await soon(session.sandbox.exited, "exit");
    assert.deepEqual(exit, { cause: "exited", exitCode: 7, signal: null });
  });

  stand.case("exit-signal", "the signal that ended it is reported", async (room) => {
    const session = await room.ready();
    session.invokeAndForget({ op: "kill", signal: "SIGABRT" });
    const exit = await soon(session.sandbox.exited, "exit");
    assert.deepEqual(exit, { cause: "signalled", exitCode: null, signal: "SIGABRT" });
  });

  stand.case(
    "crash-then-destroy",
    "how it ended survives a destroy on the closed stream",
    async (room) => {
      const session = await room.ready();
      session.invokeAndForget({ op: "exit", code: 9 });
      await soon(once(session.sandbox.control, "close"), "close");
      await session.sandbox.destroy("crash");
      assert.equal((await session.sandbox.exited).exitCode, 9);
    },
  );

  stand.case(
    "usage",
    "usage tells memory and processes of a living sandbox, and nothing of a dead one",
    async (room) => {
      const session = await room.ready();
      const usage = await session.sandbox.usage();
      assert((usage.memoryBytes as number) > 2 ** 20);
      assert((usage.pids as number) >= 1);
      await destroyed(session);
      const none = { memoryBytes: null, cpuMicros: null, pids: null };
      assert.deepEqual(await session.sandbox.usage(), none);
    },
  );

  abortCases(stand);
  otherLives(stand);
}

function abortCases(stand: Stand): void {
  stand.case("abort", "an aborted start rejects and leaves nothing", async () => {
    const driver = stand.options.makeDriver("aborted");
    const runtime = stand.runtime("nodejs");
    const limits = { memoryBytes: 2 ** 28, pidsMax: 64 };
    const starts = [0, 1, 2].map(async (at) => {
      const giveUp = new AbortController();
      const spec = { id: `sb-abort-${at}`, runtime, limits, tmpBytes: 2 ** 20 };
      if (at === 0) giveUp.abort();
      const starting = driver.start(spec, giveUp.signal);
      if (at === 1) giveUp.abort();
      if (at === 2) setImmediate(() => giveUp.abort());
      return await starting;
    });
    for (const [at, start] of starts.entries()) {
      const result = await soon(
        start.catch((error: { code: string }) => error),
        "start",
      );
      // The last one may have been there already.
      if ("destroy" in result && at === 2) await result.destroy("start_failed");
      else assert.equal((result as { code: string }).code, "sandbox_start_failed");
    }
    await driver.close();
    assert.deepEqual(
      (await stand.options.leftovers()).filter((name) => name.includes("aborted")),
      [],
    );
  });

  stand.case("missing-runtime", "a start that cannot work leaves nothing", async () => {
    const driver = stand.options.makeDriver("missing");
    const runtime = { ...stand.runtime("nodejs"), executable: "/nonexistent/node" };
    const limits = { memoryBytes: 2 ** 28, pidsMax: 64 };
    const spec = { id: "sb-missing", runtime, limits, tmpBytes: 2 ** 20 };
    const result = await driver.start(spec, AbortSignal.timeout(HANG_MS)).catch((error) => error);
    if ("exited" in result)
      assert.notEqual(((await soon(result.exited, "exit")) as { exitCode: number }).exitCode, 0);
    else assert.equal(result.code, "sandbox_start_failed");
    await driver.close();
    assert.deepEqual(
      (await stand.options.leftovers()).filter((name) => name.includes("missing")),
      [],
    );
  });

  stand.case("parallel", "many starts at once all work, and are gone after close", async () => {
    const driver = stand.options.makeDriver("parallel");
    await startAndClose(stand, driver).catch(async (error: unknown) => {
      // One that fails leaves no keeper for which this process would wait.
      await driver.close();
      throw error;
    });
    const runtime = stand.runtime("nodejs");
    await assert.rejects(Session.start(driver, runtime), { code: "sandbox_start_failed" });
  });
}

async function startAndClose(stand: Stand, driver: Driver): Promise<void> {
  const runtime = stand.runtime(stand.has("python") ? "python" : "nodejs");
  // Where a processor is emulated, as many as start in their time.
  const length = Math.ceil(20 / (stand.options.slowness ?? 1));
  const starts = Array.from({ length }, () => Session.start(driver, runtime));
  const sessions = await Promise.all(starts);
  await soon(Promise.all(sessions.map((session) => session.hello.promise)), "hellos");
  await soon(driver.close(), "close");
  for (const session of sessions) assert.equal((await session.sandbox.exited).cause, "destroyed");
  assert.deepEqual(
    (await stand.options.leftovers()).filter((name) => name.includes("parallel")),
    [],
  );
}

function otherLives(stand: Stand): void {
  stand.case(
    "parent-death",
    "a sandbox dies with its server, and a later life sweeps what is left",
    async (room) => {
      const killed = await startAndKill(stand, "earlier");
      const isRunning = async () =>
        (await stand.options.leftovers()).some(
          (name) => name.startsWith("process") && name.includes(".earlier"),
        );
      while (await isRunning()) await delay(20);
      assert.equal(killed, "SIGKILL");
      await sweepCase(stand, room);
    },
  );

  stand.case(
    "sweep",
    "a sweep removes an earlier life's sandboxes, and not this life's",
    async (room) => {
      await startAndKill(stand, "earlier");
      await sweepCase(stand, room);
    },
  );
}

async function sweepCase(stand: Stand, room: Room) {
  const ours = await room.ready();
  const { removed } = await soon(stand.driver.sweep(), "sweep");
  // A sandbox without a cgroup may have died by itself before it was found; what counts is that nothing of it is left.
  // So may a snapshot that it had begun to make.
  for (const name of removed)
    assert(/\.earlier|^snapshot making-/.test(name), `${name} was removed`);
  const left = await stand.options.leftovers();
  assert.deepEqual(
    left.filter((name) => name.includes(".earlier")),
    [],
  );
  assert.deepEqual(await ours.invoke({ op: "echo", value: 1 }), { value: 1, greeting: "hello" });
  assert.deepEqual((await stand.driver.sweep()).removed, []);
}

/** A server with one sandbox in another process, killed with SIGKILL. */
async function startAndKill(stand: Stand, bootId: string): Promise<string> {
  const { script, args } = stand.options.startElsewhere;
  const child = spawn(process.execPath, [script, ...args(bootId)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await soon(once(child.stdout, "data"), "the other server's sandbox");
  child.kill("SIGKILL");
  const [, signal] = await once(child, "exit");
  child.stdout.destroy();
  return signal;
}
