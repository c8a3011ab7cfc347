import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../domain/clock.ts";
import { openControlPlane } from "./control-plane.fixture.ts";

const files = { "index.mjs": "export const handler = () => 1" };
const hello = { name: "hello", runtime: "nodejs", code: { files } };

/** Waits take a hundredth of their time. */
function soon(delayMs: number, run: () => void): () => void {
  return systemClock.after(delayMs / 100, run);
}

describe("a change", () => {
  test("is answered before the gateway takes it when that is away, and reaches it later", async (t) => {
    const plane = await openControlPlane(t, { ...systemClock, after: soon });
    await plane.call("POST", "/api/v1/functions", { body: hello });
    plane.gateway.isConnected = false;
    const body = { memoryMiB: 256 };
    const patched = await plane.call("PATCH", "/api/v1/functions/hello", { body });
    assert.equal(patched.statusCode, 200);
    assert.equal(patched.json().applied, false);
    assert.equal(plane.gateway.functions.get("hello")?.revision, 1);
    plane.gateway.isConnected = true;
    await plane.gateway.until(() => plane.gateway.functions.get("hello")?.revision === 2);
  });

  test("is answered only when the gateway has confirmed it", async (t) => {
    const plane = await openControlPlane(t);
    const held = Promise.withResolvers<void>();
    plane.gateway.hold = held.promise;
    let isAnswered = false;
    const created = plane.call("POST", "/api/v1/functions", { body: hello }).then((response) => {
      isAnswered = true;
      return response;
    });
    await plane.gateway.until(() => plane.gateway.applies === 1);
    assert.equal((await plane.store.getFunction("default", "hello")).version, 1);
    assert.equal(isAnswered, false);
    held.resolve();
    assert.equal((await created).json().applied, true);
  });

  test("that is the last of many at once is the one the gateway ends on", async (t) => {
    const plane = await openControlPlane(t);
    await plane.call("POST", "/api/v1/functions", { body: hello });
    const patches = Array.from({ length: 30 }, (_, at) =>
      plane.call("PATCH", "/api/v1/functions/hello", { body: { memoryMiB: 200 + at } }),
    );
    const answers = await Promise.all(patches);
    for (const answer of answers) assert.equal(answer.json().applied, true);
    const live = (await plane.call("GET", "/api/v1/functions/hello")).json();
    const told = plane.gateway.functions.get("hello");
    assert.equal(live.latestRevision, 31);
    assert.equal(told?.revision, live.liveRevision);
    assert.equal(told?.settings.memoryMiB, live.memoryMiB);
  });

  test("needs the gateway to have said once what this machine has", async (t) => {
    const plane = await openControlPlane(t);
    plane.gateway.isConnected = false;
    const refused = await plane.call("POST", "/api/v1/functions", { body: hello });
    assert.equal(refused.statusCode, 503);
    assert.equal(refused.json().error.code, "not_ready");
    assert.equal(refused.headers["retry-after"], "1");
  });

  test("to a driver that cannot run here is refused with what would help", async (t) => {
    const plane = await openControlPlane(t);
    const { drivers } = plane.gateway.status;
    Object.assign(drivers[0] as object, {
      isAvailable: false,
      problems: ["bubblewrap is missing"],
      fixes: ["apt install bubblewrap"],
    });
    const refused = await plane.call("POST", "/api/v1/functions", { body: hello });
    assert.equal(refused.json().error.code, "driver_unavailable");
    assert.match(refused.json().error.message, /bubblewrap is missing; .*apt install bubblewrap/);
  });
});

describe("readiness", () => {
  test("comes with the first connection of the gateway, and health does not wait for it", async (t) => {
    const plane = await openControlPlane(t);
    plane.gateway.isConnected = false;
    assert.equal((await plane.call("GET", "/readyz")).statusCode, 503);
    assert.equal((await plane.call("GET", "/healthz")).json().isolation, null);
    assert.equal((await plane.call("GET", "/api/v1/system")).json().gateway, null);
    plane.gateway.isConnected = true;
    assert.equal((await plane.call("GET", "/readyz")).statusCode, 200);
    plane.gateway.isConnected = false;
    assert.equal((await plane.call("GET", "/readyz")).statusCode, 200);
    plane.gateway.isConnected = true;
    assert.deepEqual((await plane.call("GET", "/healthz")).json().isolation, [
      { driver: "process", tier: "namespaces" },
    ]);
  });
});
