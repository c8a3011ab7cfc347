import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { dockerSettings } from "../testing/docker-settings.ts";
import { codeOf } from "../conformance/code.ts";
import { Session, destroyed, soon } from "../conformance/session.ts";
import type { RuntimeSpec } from "../driver.ts";
import { findRuntimes } from "../runtimes.ts";
import {
  containerOf,
  containers,
  newNodeId,
  skipDocker,
  tracesOf,
} from "./testing/docker-stand.ts";
import { EngineProxy } from "./testing/engine-proxy.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });
const node = runtimes.find(({ family }) => family === "nodejs") as RuntimeSpec;
const echo = { op: "echo", value: 1 };

/** A driver behind a proxy, with one sandbox that works. At the end nothing of it may be left. */
async function stand(t: TestContext, given: { bases?: Record<"nodejs" | "python", string> } = {}) {
  const stateDir = mkdtempSync(join(tmpdir(), "isola-docker-trouble-"));
  const nodeId = newNodeId();
  const proxy = new EngineProxy(dockerSettings.dockerHost, join(stateDir, "engine.sock"));
  await proxy.open();
  const bases = given.bases ?? dockerSettings.dockerBases;
  const settings = { ...dockerSettings, nodeId, stateDir, acceptNoIsolation: false };
  const driver = lazyDriver(
    "docker",
    { ...settings, dockerHost: proxy.host, dockerBases: bases },
    "this",
  );
  t.after(async () => {
    await driver.close();
    assert.deepEqual(await tracesOf(nodeId), []);
    await proxy.goAway();
    rmSync(stateDir, { recursive: true });
  });
  const begin = () => Session.start(driver, node);
  const ready = async () => {
    const session = await begin();
    await session.init(codeOf.nodejs.files, codeOf.nodejs.handler);
    return session;
  };
  return { driver, proxy, nodeId, begin, ready };
}

/** The process of the driver under test. */
function keeperPid(): number {
  const isKeeper = (pid: string) => {
    try {
      const parent = /\nPPid:\t(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
      const command = readFileSync(`/proc/${pid}/cmdline`, "latin1");
      return Number(parent) === process.pid && command.includes("keeper/main.ts");
    } catch {
      return false; // it has ended
    }
  };
  const found = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isKeeper(name));
  assert.equal(found.length, 1);
  return Number(found[0]);
}

async function goneOf(nodeId: string): Promise<void> {
  while ((await tracesOf(nodeId)).length > 0) await delay(50);
}

describe("a container that a person", { skip: skipDocker }, () => {
  const killed = { cause: "signalled", exitCode: null, signal: "SIGKILL" };
  const deeds = {
    "removes by force": (id: string) => containers.remove(id),
    kills: (id: string) => containers.kill(id),
  };
  for (const [what, deed] of Object.entries(deeds))
    for (const isFrozen of [false, true])
      test(`${what}${isFrozen ? " while it stands still" : ""} has ended by a signal`, async (t) => {
        const { ready } = await stand(t);
        const session = await ready();
        if (isFrozen) assert.equal(await session.sandbox.freeze(), true);
        await deed(await containerOf(session.sandbox.id));
        assert.deepEqual(await soon(session.sandbox.exited, "exit"), killed);
        await destroyed(session);
      });

  test("pauses is ended, as no deadline could be kept by it", async (t) => {
    const { ready } = await stand(t);
    const session = await ready();
    await containers.pause(await containerOf(session.sandbox.id));
    assert.equal((await soon(session.sandbox.exited, "exit")).cause, "destroyed");
    await destroyed(session);
  });
});

describe("an engine", { skip: skipDocker }, () => {
  test("that goes away and comes back leaves sandboxes as they are, and what ended meanwhile is found", async (t) => {
    const { proxy, begin, ready } = await stand(t);
    const [living, ending] = await Promise.all([ready(), ready()]);
    const endingId = await containerOf(ending.sandbox.id);
    await proxy.goAway();
    await containers.kill(endingId);
    assert.deepEqual(await living.invoke(echo), { value: 1, greeting: "hello" });
    await assert.rejects(begin(), {
      code: "driver_unavailable",
      message: /no Docker Engine answers/,
    });
    await proxy.open();
    assert.equal((await soon(ending.sandbox.exited, "exit")).signal, "SIGKILL");
    await destroyed(await ready());
    assert.deepEqual(await living.invoke(echo), { value: 1, greeting: "hello" });
    await Promise.all([destroyed(living), destroyed(ending)]);
  });

  test("that hangs does not keep a sandbox alive", async (t) => {
    const { proxy, ready, nodeId } = await stand(t);
    const session = await ready();
    session.invokeAndForget({ op: "spin" });
    await session.said("spinning");
    proxy.setSilent(true);
    const report = await session.sandbox.destroy("timeout");
    assert.equal(report.isConfirmed, true);
    assert(report.tookMs < 2000, `${report.tookMs} ms`);
    proxy.setSilent(false);
    // It had been asked to remove the container, and has not heard it.
    await soon(goneOf(nodeId), "the end of the container");
  });

  test("that is away when the keeper dies keeps nothing alive, and nothing counts as gone before it is", async (t) => {
    const { proxy, ready, nodeId } = await stand(t);
    const session = await ready();
    session.invokeAndForget({ op: "spin" });
    await session.said("spinning");
    await proxy.goAway();
    process.kill(keeperPid(), "SIGKILL");
    const isRunning = async () =>
      (await tracesOf(nodeId)).some((each) => each.startsWith("process"));
    while (await isRunning()) await delay(50);
    assert.notEqual((await tracesOf(nodeId)).length, 0, "its container cannot be removed yet");
    const early = await Promise.race([session.sandbox.destroy("timeout"), delay(500)]);
    assert.equal(early, undefined, "it was told as gone before anybody had seen that");
    await proxy.open();
    await destroyed(session);
    await soon(goneOf(nodeId), "the end of the container");
  });

  test("that has no room for a container fails the start with its reason, and nothing is left", async (t) => {
    const { proxy, begin, ready, nodeId } = await stand(t);
    await destroyed(await ready());
    const full = {
      status: 500,
      message: "mkdir /var/lib/docker/overlay2/x: no space left on device",
    };
    for (const call of [/^POST .*\/containers\/create/, /^POST .*\/containers\/[0-9a-f]+\/start/]) {
      proxy.fail({ call, ...full });
      await assert.rejects(begin(), /no space left on device/);
      await soon(goneOf(nodeId), "the end of everything");
    }
    proxy.fail(null);
    await destroyed(await ready());
  });

  test("that this user may not use is told with what would allow it", async (t) => {
    const { proxy, begin } = await stand(t);
    await proxy.goAway();
    await assert.rejects(begin(), { code: "driver_unavailable", message: /ENOENT|systemctl/ });
  });

  test("without the base of an image says which, and how to have it", async (t) => {
    const missing = "isola-test/no-such-base:1";
    const { begin } = await stand(t, { bases: { nodejs: missing, python: missing } });
    await assert.rejects(begin(), { code: "driver_unavailable", message: /no-such-base:1/ });
  });
});
