import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { codeOf } from "../conformance/code.ts";
import { Session, defaultLimits, destroyed, soon } from "../conformance/session.ts";
import type { RuntimeSpec } from "../driver.ts";
import { findRuntimes } from "../runtimes.ts";
import { dockerSettings } from "../testing/docker-settings.ts";
import { gvisorFlavour } from "../gvisor/gvisor-flavour.ts";
import { Containers } from "./containers.ts";
import { examine } from "./probe.ts";
import { newNodeId, skipDocker, tracesOf } from "./testing/docker-stand.ts";
import { EngineProxy } from "./testing/engine-proxy.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });

/** A driver whose engine is reached by a port. At the end nothing of it may be left. */
async function stand(t: TestContext) {
  const stateDir = mkdtempSync(join(tmpdir(), "isola-docker-remote-"));
  const nodeId = newNodeId();
  const proxy = new EngineProxy(dockerSettings.dockerHost, null);
  await proxy.open();
  const settings = { ...dockerSettings, nodeId, stateDir, acceptNoIsolation: false };
  const driver = lazyDriver("docker", { ...settings, dockerHost: proxy.host }, "this");
  t.after(async () => {
    await driver.close();
    assert.deepEqual(await tracesOf(nodeId), []);
    await proxy.goAway();
    rmSync(stateDir, { recursive: true });
  });
  const ready = async (family: "nodejs" | "python") => {
    const runtime = runtimes.find((each) => each.family === family) as RuntimeSpec;
    const session = await Session.start(driver, runtime);
    await session.init(codeOf[family].files, codeOf[family].handler);
    return session;
  };
  return { driver, proxy, nodeId, ready };
}

async function goneOf(nodeId: string): Promise<void> {
  while ((await tracesOf(nodeId)).length > 0) await delay(50);
}

describe("a sandbox of an engine on another machine", { skip: skipDocker }, () => {
  test("whose output nobody reads goes on answering", async (t) => {
    const { ready } = await stand(t);
    const session = await ready("python");
    const { stdout, stderr } = session.sandbox;
    for (const stream of [stdout, stderr]) stream.pause();
    const flood = session.invoke({ op: "flood", to: 1, mebibytes: 16 });
    const value = "x".repeat(200_000);
    for (let turn = 0; turn < 3; turn += 1) {
      const answer = await soon(session.invoke({ op: "echo", value }), "an answer");
      assert.deepEqual(answer, { value, greeting: "hello" });
    }
    const first = await Promise.race([flood, session.invoke({ op: "echo", value: 1 })]);
    assert.notEqual(first, "flooded", "nothing stopped its writing");
    // Nor does it hold up the end.
    assert.equal((await session.sandbox.destroy("timeout")).isConfirmed, true);
    await assert.rejects(flood);
  });

  test("writes to one stream what it writes to descriptors 1 and 2", async (t) => {
    const { ready } = await stand(t);
    const session = await ready("python");
    let bytes = 0;
    session.sandbox.stderr.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    session.sandbox.stdout.on("data", () => assert.fail("the control stream is there"));
    for (const to of [1, 2]) await session.invoke({ op: "flood", to, mebibytes: 1 });
    session.invokeAndForget({ op: "leave", code: 0 });
    await soon(once(session.sandbox.stderr, "close"), "the end of its output");
    assert.equal(bytes, 2 << 20);
    await destroyed(session);
  });

  test("has ended for the gateway when the way to the engine breaks, and is gone once it answers again", async (t) => {
    const { proxy, driver, nodeId, ready } = await stand(t);
    const session = await ready("nodejs");
    session.invokeAndForget({ op: "spin" });
    await session.said("spinning");
    const closed = once(session.sandbox.control, "close");
    await proxy.goAway();
    await soon(closed, "the end of its control stream");
    assert.equal((await session.sandbox.destroy("crash")).isConfirmed, false);
    assert.deepEqual((await tracesOf(nodeId)).length, 1, "it spins, and nobody can end it");
    await proxy.open();
    await driver.sweep();
    await destroyed(session);
    await soon(goneOf(nodeId), "the end of the container");
  });

  test("ends by itself when the way to the engine breaks and its code lets it", async (t) => {
    const { proxy, nodeId, ready } = await stand(t);
    const session = await ready("python");
    await proxy.goAway();
    const isRunning = async () =>
      (await tracesOf(nodeId)).some((each) => each.startsWith("process"));
    while (await isRunning()) await delay(50);
    await proxy.open();
    await destroyed(session);
  });

  test("gets no network and is no build's, and the refusal says why", async (t) => {
    const { driver, ready } = await stand(t);
    const session = await ready("nodejs");
    const runtime = runtimes[0] as RuntimeSpec;
    const start = (more: object) => Session.start(driver, runtime, defaultLimits, more);
    const where = /the Docker Engine at tcp:\S+ is not on this machine/;
    await assert.rejects(start({ egressOf: "default" }), {
      code: "driver_unavailable",
      message: new RegExp(`network: internet .*${where.source}`),
    });
    await assert.rejects(start({ equipment: { hasTools: true, sockets: [] } }), {
      code: "driver_unavailable",
      message: new RegExp(`builds cannot run.*${where.source}; deploy with the dependencies`),
    });
    const { isAvailable, protections } = await driver.probe();
    const how = Object.fromEntries(protections.map((each) => [each.name, each.how]));
    assert.equal(isAvailable, true);
    assert.match(how.files ?? "", /no builds/);
    assert.match(how.network ?? "", /internet takes an engine on this machine/);
    assert.match(how.memory ?? "", /by tcp:.*not on this machine/);
    await destroyed(session);
  });
});

test("the driver gvisor says that it takes an engine on this machine", {
  skip: skipDocker,
}, async (t) => {
  const proxy = new EngineProxy(dockerSettings.dockerHost, null);
  await proxy.open();
  t.after(() => proxy.goAway());
  const { problems, fixes } = await examine(new Containers(proxy.host), gvisorFlavour(null));
  assert.match(
    problems.join("\n"),
    /^its limits can only be set by writing control groups, and the engine is not on this machine$/,
  );
  assert.match(fixes.join("\n"), /^DOCKER_HOST=unix:/);
});
