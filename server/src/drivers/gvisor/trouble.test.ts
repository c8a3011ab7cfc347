import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { Session, destroyed, soon } from "../conformance/session.ts";
import { containerOf, containers, newNodeId, tracesOf } from "../docker/testing/docker-stand.ts";
import type { RuntimeSpec } from "../driver.ts";
import { findRuntimes } from "../runtimes.ts";
import { dockerSettings } from "../testing/docker-settings.ts";
import { skipGvisor } from "./testing/gvisor-stand.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });
const node = runtimes.find(({ family }) => family === "nodejs") as RuntimeSpec;
const clocks = {
  "index.mjs": `export const handler = () => ({ wall: Date.now(), monotonic: performance.now() });`,
};

/** A sandbox that tells its clocks. At the end nothing of it may be left. */
async function ready(t: TestContext): Promise<Session> {
  const stateDir = mkdtempSync(join(tmpdir(), "isola-gvisor-trouble-"));
  const nodeId = newNodeId();
  const settings = { ...dockerSettings, nodeId, stateDir, acceptNoIsolation: false };
  const driver = lazyDriver("gvisor", settings, "this");
  t.after(async () => {
    await driver.close();
    assert.deepEqual(await tracesOf(nodeId), []);
    rmSync(stateDir, { recursive: true });
  });
  const session = await Session.start(driver, node);
  await session.init(clocks, "index.handler");
  return session;
}

describe("a gVisor sandbox that a person", { skip: skipGvisor }, () => {
  const killed = { cause: "signalled", exitCode: null, signal: "SIGKILL" };
  const deeds = {
    "removes by force": (id: string) => containers.remove(id),
    kills: (id: string) => containers.kill(id),
  };
  for (const [what, deed] of Object.entries(deeds))
    for (const isFrozen of [false, true])
      test(`${what}${isFrozen ? " while it stands still has, once it goes on," : " has"} ended by a signal`, async (t) => {
        const session = await ready(t);
        const id = await containerOf(session.sandbox.id);
        if (isFrozen) assert.equal(await session.sandbox.freeze(), true);
        const done = deed(id);
        if (isFrozen) {
          // The engine asks gVisor to do it, which stands still as well.
          await delay(300);
          await session.sandbox.thaw();
        }
        await done;
        assert.deepEqual(await soon(session.sandbox.exited, "exit"), killed);
        await destroyed(session);
      });

  test("pauses is ended, as no deadline could be kept by it", async (t) => {
    const session = await ready(t);
    await containers.pause(await containerOf(session.sandbox.id));
    assert.equal((await soon(session.sandbox.exited, "exit")).cause, "destroyed");
    await destroyed(session);
  });
});

test("a gVisor sandbox that stood still has the clocks of its host", {
  skip: skipGvisor,
}, async (t) => {
  const session = await ready(t);
  const before = await session.invoke<{ wall: number; monotonic: number }>(null);
  assert.equal(await session.sandbox.freeze(), true);
  await delay(1500);
  await session.sandbox.thaw();
  const after = await session.invoke<{ wall: number; monotonic: number }>(null);
  const apart = Math.abs(after.wall - Date.now());
  assert(apart < 1000, `${apart} ms apart`);
  for (const clock of ["wall", "monotonic"] as const) {
    const passedMs = after[clock] - before[clock];
    assert(passedMs >= 1400, `${clock}: ${passedMs} ms`);
  }
  await destroyed(session);
});

test("a gVisor sandbox gets no network", { skip: skipGvisor }, async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), "isola-gvisor-trouble-"));
  const settings = { ...dockerSettings, nodeId: newNodeId(), stateDir, acceptNoIsolation: false };
  const driver = lazyDriver("gvisor", settings, "this");
  t.after(async () => {
    await driver.close();
    rmSync(stateDir, { recursive: true });
  });
  await assert.rejects(Session.start(driver, node, undefined, { egressOf: "default" }), {
    code: "driver_unavailable",
    message: /gvisor have no network/,
  });
});
