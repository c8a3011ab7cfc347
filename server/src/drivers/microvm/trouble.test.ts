import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { SandboxHandle } from "../driver.ts";
import { LAST_WORDS, type Misdeed } from "./testing/fake-qemu.ts";
import { type FakeStand, newFakeStand, openEnds, specOf } from "./testing/fake-stand.ts";

const HANG_MS = 120_000;
const doomed = fileURLToPath(new URL("testing/doomed-driver.ts", import.meta.url));

/** Starts a sandbox with a life of the driver that is closed at the end of the test; then nothing of the node may be left. */
async function started(
  t: TestContext,
  stand: FakeStand,
  signal: AbortSignal = AbortSignal.timeout(HANG_MS),
): Promise<{ start: Promise<SandboxHandle>; again(): Promise<SandboxHandle> }> {
  const { ends, close } = await openEnds(stand.folder);
  const driver = stand.driver();
  t.after(async () => {
    await driver.close();
    close();
    assert.deepEqual(await stand.leftovers(), []);
  });
  const again = () => driver.start(specOf(), ends, signal);
  return { start: again(), again };
}

/** Waits until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  for (const giveUp = AbortSignal.timeout(HANG_MS); !isSo(); await delay(10))
    assert(!giveUp.aborted, "it never came to be");
}

describe("a VMM", () => {
  const deaths: Record<string, RegExp> = {
    "dies at once": new RegExp(`ended with status 1: ${LAST_WORDS}`),
    "dies before it is up": new RegExp(
      `${LAST_WORDS}.*its console ends with: the console of a guest`,
      "s",
    ),
    "dies at the start of the runtime": new RegExp(LAST_WORDS),
    "refuses the runtime": /no room; its console ends with/,
    "speaks nonsense": /init has gone/,
  };
  for (const [misdeed, text] of Object.entries(deaths))
    test(`that ${misdeed} fails the start, says why, and leaves nothing`, async (t) => {
      const stand = newFakeStand(t, misdeed as Misdeed);
      const { start } = await started(t, stand);
      await assert.rejects(start, { code: "sandbox_start_failed", message: text });
      const left = (await stand.leftovers()).filter((each) => !each.includes("template"));
      assert.deepEqual(left, []);
    });

  for (const [misdeed, deed] of [
    ["says nothing", "boots"],
    ["says nothing at the start of the runtime", "asked"],
  ] as const)
    test(`that ${misdeed} is given up with the start`, async (t) => {
      const stand = newFakeStand(t, misdeed);
      const giveUp = new AbortController();
      const { start } = await started(t, stand, giveUp.signal);
      await until(() => stand.deeds().includes(deed));
      giveUp.abort();
      await assert.rejects(start, { code: "sandbox_start_failed", message: /given up/ });
    });

  test("that dies when it has started ends its sandbox, and is told", async (t) => {
    const stand = newFakeStand(t, "dies when it has started");
    const sandbox = await (await started(t, stand)).start;
    const exit = { cause: "exited", exitCode: null, signal: null };
    assert.deepEqual(await sandbox.exited, exit);
    assert.equal((await sandbox.destroy("crash")).isConfirmed, true);
    assert.match(stand.problems.join(), new RegExp(`its machine has ended: ${LAST_WORDS}`));
    await assert.rejects(sandbox.applyLimits(specOf().limits), { code: "sandbox_start_failed" });
  });

  test("that is not there, or too old, is told with what would help", async (t) => {
    const stand = newFakeStand(t, "none");
    writeFileSync(join(stand.folder, "program/fake-qemu"), "#!/bin/sh\necho version 5.1.0\n");
    const driver = stand.driver();
    const { isAvailable, problems, fixes } = await driver.probe();
    assert.equal(isAvailable, false);
    assert.match(problems.join(), /is QEMU 5\.1\.0; 7\.2 or newer is needed/);
    assert.match(fixes.join(), /apt-get install/);
    const { ends, close } = await openEnds(stand.folder);
    const start = driver.start(specOf(), ends, AbortSignal.timeout(HANG_MS));
    await assert.rejects(start, { code: "driver_unavailable", message: /5\.1\.0/ });
    await driver.close();
    close();
  });
});

describe("a snapshot", () => {
  /** Once one is on disk, or has failed. */
  async function tried(stand: FakeStand): Promise<void> {
    const isDone = () => {
      if (stand.problems.some((each) => each.includes("no snapshot"))) return true;
      return names(stand).some((name) => !name.startsWith("making-"));
    };
    await until(isDone);
  }

  function names(stand: FakeStand): string[] {
    try {
      return readdirSync(stand.snapshotsFolder);
    } catch {
      return []; // none yet
    }
  }

  test("is taken beside the first start, and the next one goes on from it", async (t) => {
    const stand = newFakeStand(t, "none");
    const { start, again } = await started(t, stand);
    assert.equal((await start).startedFrom, "boot");
    await tried(stand);
    assert.equal((await again()).startedFrom, "snapshot");
    assert.deepEqual(stand.problems, []);
    assert.deepEqual(stand.deeds().toSorted(), ["boots", "boots", "goes on", "is saved"]);
  });

  for (const misdeed of [
    "dies before the gate",
    "dies while it is saved",
    "cannot be saved",
  ] as const)
    test(`whose machine ${misdeed} is not there, and starts go on without it`, async (t) => {
      const stand = newFakeStand(t, misdeed);
      const { start, again } = await started(t, stand);
      assert.equal((await start).startedFrom, "boot");
      await tried(stand);
      assert.equal((await again()).startedFrom, "boot");
      assert.match(stand.problems.join(), /no snapshot of nodejs26: .*(no use|no space)/);
      assert.deepEqual(names(stand), []);
    });

  for (const misdeed of ["dies when it goes on", "refuses the runtime when it goes on"] as const)
    test(`whose machine ${misdeed} is removed, and the start boots`, async (t) => {
      const stand = newFakeStand(t, misdeed);
      const { start, again } = await started(t, stand);
      await start;
      await tried(stand);
      const sandbox = await again();
      assert.equal(sandbox.startedFrom, "boot");
      assert.match(stand.problems.join(), /a snapshot of nodejs26 is removed: .*(no use|no room)/);
    });

  test("whose machine does not say that it goes on is given up with the start", async (t) => {
    const stand = newFakeStand(t, "does not say that it goes on");
    const giveUp = new AbortController();
    const { start, again } = await started(t, stand, giveUp.signal);
    await start;
    await tried(stand);
    const second = again();
    await until(() => stand.deeds().includes("goes on"));
    giveUp.abort();
    await assert.rejects(second, { code: "sandbox_start_failed" });
    assert.equal(names(stand).length, 1);
  });

  test("whose memory cannot be kept is removed, and the start boots", async (t) => {
    const stand = newFakeStand(t, "none");
    const { start, again } = await started(t, stand);
    await start;
    await tried(stand);
    writeFileSync(join(stand.folder, "seal-memory"), "#!/bin/sh\necho no memory >&2; exit 1\n");
    assert.equal((await again()).startedFrom, "boot");
    assert.match(
      stand.problems.join(),
      /a snapshot of nodejs26 is removed: .*the sealer ended with 1: no memory/,
    );
  });

  for (const file of ["state", "memory"])
    test(`whose ${file} was changed on disk is removed and taken anew, and the start boots`, async (t) => {
      const stand = newFakeStand(t, "none");
      const { start, again } = await started(t, stand);
      await start;
      await tried(stand);
      const [name = ""] = names(stand);
      writeFileSync(join(stand.snapshotsFolder, name, file), "rubbish");
      assert.equal((await again()).startedFrom, "boot");
      await tried(stand);
      assert.equal((await again()).startedFrom, "snapshot");
      assert.equal(stand.problems.length, 1);
    });
});

describe("a server that is killed", () => {
  for (const [when, misdeed, deed] of [
    ["before the guest is up", "says nothing", "boots"],
    ["before the runtime has started", "says nothing at the start of the runtime", "asked"],
    ["while a snapshot is taken", "cannot be saved", "is saved"],
  ] as const)
    test(`${when} leaves nothing that the next life does not find`, async (t) => {
      const stand = newFakeStand(t, misdeed);
      const args = [doomed, misdeed, stand.nodeId, stand.folder];
      const child: ChildProcess = spawn(process.execPath, args, { stdio: "inherit" });
      await until(() => stand.deeds().includes(deed));
      child.kill("SIGKILL");
      await once(child, "exit");
      const driver = stand.driver("next");
      await driver.sweep();
      assert.deepEqual(await stand.leftovers(), []);
      await driver.close();
    });
});
