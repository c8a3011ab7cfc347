import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../../keeper/testing/lazy-driver.ts";
import { destroyed } from "../../conformance/session.ts";
import type { RuntimeSpec } from "../../driver.ts";
import { findRuntimes } from "../../runtimes.ts";
import { askClone, cloneOf, clonesAreApart, codeOfClones } from "../../testing/clones.ts";
import { newStand, skipStandalone } from "../testing/standalone-stand.ts";

const MS_MAX = 60_000;

describe("gVisor sandboxes that go on from one snapshot", { skip: skipStandalone }, async () => {
  const root = fileURLToPath(new URL("../../../../..", import.meta.url));
  const runtimes = await findRuntimes({ root, python: null });
  const { settings, stateDir, leftovers } = newStand("clones");
  const driver = lazyDriver("gvisor", settings, "b");
  after(async () => {
    await driver.close();
    assert.deepEqual(await leftovers(), []);
    rmSync(stateDir, { recursive: true });
  });

  for (const runtime of runtimes)
    test(`share no randomness, and have the clock of their host (${runtime.name})`, async () => {
      await clonesAreApart(driver, runtime, MS_MAX);
    });

  test("are frozen and thawed without a leap of their clock", async () => {
    const session = await cloneOf(driver, runtimes[0] as RuntimeSpec, { msMax: MS_MAX });
    await session.init(codeOfClones.nodejs.files, codeOfClones.nodejs.handler);
    await askClone(session);
    assert.equal(await session.sandbox.freeze(), true);
    await delay(1000);
    await session.sandbox.thaw();
    await askClone(session);
    await destroyed(session);
  });
});
