import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../../keeper/testing/lazy-driver.ts";
import { findMarked } from "../../cgroups/process-table.ts";
import { Session, destroyed, soon } from "../../conformance/session.ts";
import type { RuntimeSpec } from "../../driver.ts";
import { findRuntimes } from "../../runtimes.ts";
import { newStand, skipStandalone } from "../testing/standalone-stand.ts";

const root = fileURLToPath(new URL("../../../../..", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });
const node = runtimes.find(({ family }) => family === "nodejs") as RuntimeSpec;
const code = {
  "index.mjs": `
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
const orphan = "require('node:child_process').spawn(process.execPath, ['-e', ''], { detached: true, stdio: 'ignore' }).unref();";
export const handler = async (event) => {
  if (event === "clocks") return { wall: Date.now(), monotonic: performance.now() };
  for (let at = 0; at < 3; at += 1)
    await new Promise((resolve) => spawn(process.execPath, ["-e", orphan], { stdio: "ignore" }).on("exit", resolve));
  for (const until = Date.now() + 20_000; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 50)))
    if (readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length === 2) return "reaped";
  return readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map((pid) => readFileSync("/proc/" + pid + "/status", "latin1"));
};`,
};

/** A driver of a test's own. At the end nothing of it may be left. */
function opened(
  t: TestContext,
  more: Partial<ReturnType<typeof newStand>["settings"]["gvisor"]> = {},
) {
  const { settings, stateDir, leftovers } = newStand("trouble");
  const driver = lazyDriver(
    "gvisor",
    { ...settings, gvisor: { ...settings.gvisor, ...more } },
    "b",
  );
  t.after(async () => {
    await driver.close();
    assert.deepEqual(await leftovers(), []);
    rmSync(stateDir, { recursive: true });
  });
  return { driver, nodeId: settings.nodeId };
}

async function ready(t: TestContext) {
  const { driver, nodeId } = opened(t);
  const session = await Session.start(driver, node);
  await session.init(code, "index.handler");
  return { session, nodeId };
}

/** The processes of a node's functions that are called so, such as `runsc-sandbox`. */
async function called(nodeId: string, name: string): Promise<number[]> {
  const isOne = (text: string) =>
    text.startsWith(`isola.${nodeId}.`) && /\.runsc-sb-[\w-]+$/.test(text);
  const found = await findMarked(isOne, ["cmdline"]);
  const isCalled = (pid: number) =>
    readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")[0]?.endsWith(name) === true;
  return found.map(({ pid }) => pid).filter(isCalled);
}

describe("gVisor without an engine", { skip: skipStandalone }, () => {
  for (const name of ["runsc", "runsc-sandbox"])
    test(`whose ${name} somebody kills is ended, and nothing of it is left`, async (t) => {
      const { session, nodeId } = await ready(t);
      const pids = await called(nodeId, name);
      assert.equal(pids.length, 1);
      process.kill(pids[0] as number, "SIGKILL");
      const { cause } = await soon(session.sandbox.exited, "exit");
      assert(["exited", "signalled"].includes(cause), cause);
      await destroyed(session);
    });

  test("has no process on the host that could open files for the sandbox", async (t) => {
    const { nodeId } = await ready(t);
    assert.deepEqual(await called(nodeId, "runsc-gofer"), []);
    const [kernel = 0] = await called(nodeId, "runsc-sandbox");
    const status = readFileSync(`/proc/${kernel}/status`, "latin1");
    assert.match(status, /^CapEff:\s+0+$/m);
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^Seccomp:\s+2$/m);
  });

  test("reaps what has lost its parent", async (t) => {
    const { session } = await ready(t);
    assert.equal(await session.invoke(null), "reaped");
  });

  test("has the clocks of its host when it goes on", async (t) => {
    const { session } = await ready(t);
    const before = await session.invoke<{ wall: number; monotonic: number }>("clocks");
    assert.equal(await session.sandbox.freeze(), true);
    await delay(1500);
    await session.sandbox.thaw();
    const after = await session.invoke<{ wall: number; monotonic: number }>("clocks");
    for (const clock of ["wall", "monotonic"] as const) {
      const passedMs = after[clock] - before[clock];
      assert(passedMs >= 1400, `${clock}: ${passedMs} ms`);
    }
  });

  test("refuses a network, and another number of processes than it was started for", async (t) => {
    const { driver } = opened(t);
    await assert.rejects(Session.start(driver, node, undefined, { egressOf: "default" }), {
      code: "driver_unavailable",
      message: /gvisor have no network/,
    });
    const session = await Session.start(driver, node);
    const limits = { memoryBytes: 2 ** 28, pidsMax: 32 };
    await assert.rejects(
      session.sandbox.applyLimits(limits),
      /started for 64 processes, not for 32/,
    );
    await destroyed(session);
  });

  test("that cannot run says why, and starts nothing", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "isola-no-runsc-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const { driver } = opened(t, { runsc: join(folder, "runsc") });
    const { isAvailable, problems, fixes } = await driver.probe();
    assert.equal(isAvailable, false);
    assert.match(problems.join(), /runsc does not run: .*ENOENT/);
    assert.match(fixes.join(), /apt-get install runsc/);
    await assert.rejects(Session.start(driver, node), { code: "driver_unavailable" });
  });
});
