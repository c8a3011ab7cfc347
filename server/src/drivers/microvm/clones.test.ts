import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { Session, allowSlowness, destroyed } from "../conformance/session.ts";
import type { RuntimeSpec, SandboxLimits } from "../driver.ts";
import { MiB } from "../../domain/limits.ts";
import { findRuntimes } from "../runtimes.ts";
import { askClone, cloneOf, clonesAreApart, codeOfClones } from "../testing/clones.ts";
import { dockerSettings } from "../testing/docker-settings.ts";
import { SLOWNESS, skipMicrovm } from "./testing/microvm-stand.ts";

const SNAPSHOT_MS_MAX = 150_000;
const REST_MS = 2000;
/** Ticks and timers take a hundredth. */
const BUSY_MAX = 0.3;
/** In a machine as the others have it. */
const small: SandboxLimits = { memoryBytes: 192 * MiB, pidsMax: 64 };
/** Reads a file that is larger than what it has left: what the kernel keeps of it is given back whenever the limit is met. */
const reader = `
import { closeSync, openSync, readSync } from "node:fs";
const kept = Buffer.alloc(${64 * MiB}, 1);
export const handler = () => {
  const [fd, part] = [openSync(process.execPath, "r"), Buffer.alloc(65_536)];
  let total = 0;
  for (let bytes; (bytes = readSync(fd, part)) > 0; ) total += bytes;
  closeSync(fd);
  return total + kept.length;
};`;

allowSlowness(SLOWNESS);

describe("machines that go on from one snapshot", { skip: skipMicrovm }, async () => {
  const root = fileURLToPath(new URL("../../../..", import.meta.url));
  const runtimes = await findRuntimes({ root, python: null });
  const stateDir = mkdtempSync(join(tmpdir(), "isola-microvm-clones-"));
  const nodeId = `test-${process.pid}-${randomBytes(4).toString("hex")}`;
  const settings = { nodeId, stateDir, acceptNoIsolation: false, ...dockerSettings };
  const driver = lazyDriver("microvm", settings, "this");
  after(async () => {
    await driver.close();
    rmSync(stateDir, { recursive: true });
  });

  const clone = (runtime: RuntimeSpec, limits?: SandboxLimits) =>
    cloneOf(driver, runtime, { ...(limits && { limits }), msMax: SNAPSHOT_MS_MAX });

  for (const runtime of runtimes)
    test(`share no randomness, and have the clock of their host (${runtime.name})`, async () => {
      await clonesAreApart(driver, runtime, SNAPSHOT_MS_MAX);
    });

  test("are frozen and thawed without a leap of their clock", async () => {
    const session = await clone(runtimes[0] as RuntimeSpec);
    await session.init(codeOfClones.nodejs.files, codeOfClones.nodejs.handler);
    await session.invoke(null);
    assert.equal(await session.sandbox.freeze(), true);
    await delay(1000);
    await session.sandbox.thaw();
    await askClone(session);
    await destroyed(session);
  });

  test("rest between calls, also when they have been at their memory limit", async () => {
    const session = await clone(runtimes[0] as RuntimeSpec, small);
    await session.init({ "index.mjs": reader }, "index.handler");
    assert((await session.invoke<number>(null)) > small.memoryBytes);
    const before = await session.sandbox.usage();
    await delay(REST_MS);
    const after = await session.sandbox.usage();
    const busy = ((after.cpuMicros ?? 0) - (before.cpuMicros ?? 0)) / 1000 / REST_MS;
    assert(busy < BUSY_MAX, `its processor was busy for ${Math.round(100 * busy)} % of the time`);
    await destroyed(session);
  });

  test("get no network", async () => {
    const [runtime] = runtimes as [RuntimeSpec];
    const network = Session.start(driver, runtime, undefined, { egressOf: "default" });
    await assert.rejects(network, { code: "driver_unavailable", message: /have no network/ });
  });
});
