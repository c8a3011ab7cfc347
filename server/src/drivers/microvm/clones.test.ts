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
import { dockerSettings } from "../testing/docker-settings.ts";
import { SLOWNESS, skipMicrovm } from "./testing/microvm-stand.ts";

const CLONES = 4;
const SNAPSHOT_MS_MAX = 150_000;
/** Of the clocks of two machines, one of which is emulated on a busy host. */
const APART_MS_MAX = 1000;

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

/** What tells two machines apart that were one a moment ago, and what they must agree on with the host. */
interface Told {
  random: Record<string, string>;
  wallMs: number;
}

const code = {
  nodejs: {
    handler: "index.handler",
    files: {
      "index.mjs": `
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
export const handler = () => ({
  random: {
    math: String(Math.random()), bytes: randomBytes(16).toString("hex"), uuid: randomUUID(),
    web: Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex"),
    kernel: readFileSync("/proc/sys/kernel/random/uuid", "latin1"),
  },
  wallMs: Date.now(),
});`,
    },
  },
  python: {
    handler: "index.handler",
    files: {
      "index.py": `
import os, random, secrets, ssl, time, uuid
def handler(event, context=None):
    return {
        "random": {
            "random": str(random.random()), "system": os.urandom(16).hex(), "secrets": secrets.token_hex(16),
            "uuid": str(uuid.uuid4()), "ssl": ssl.RAND_bytes(16).hex(),
            "kernel": open("/proc/sys/kernel/random/uuid").read(), "hash": str(hash("isola")),
        },
        "wallMs": time.time() * 1000,
    }
`,
    },
  },
};

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

  /** A sandbox that goes on from a snapshot: the first ones boot, until one is taken. */
  async function clone(runtime: RuntimeSpec, limits?: SandboxLimits): Promise<Session> {
    for (const giveUp = AbortSignal.timeout(SNAPSHOT_MS_MAX); ; await delay(1000)) {
      const session = await Session.start(driver, runtime, limits);
      if (session.sandbox.startedFrom === "snapshot") return session;
      await destroyed(session);
      assert(!giveUp.aborted, "no snapshot was taken");
    }
  }

  /** What it tells; its clock is that of the host, whenever in between it was looked at. */
  async function ask(session: Session): Promise<Told> {
    const before = Date.now();
    const told = await session.invoke<Told>(null);
    const isRight = told.wallMs > before - APART_MS_MAX && told.wallMs < Date.now() + APART_MS_MAX;
    assert(isRight, `${told.wallMs - before} ms after it was asked`);
    return told;
  }

  for (const runtime of runtimes)
    test(`share no randomness, and have the clock of their host (${runtime.name})`, async () => {
      await destroyed(await clone(runtime));
      const sessions = await Promise.all(Array.from({ length: CLONES }, () => clone(runtime)));
      const { files, handler } = code[runtime.family];
      await Promise.all(sessions.map((session) => session.init(files, handler)));
      const told = await Promise.all(sessions.map(ask));
      for (const name of Object.keys(told[0]?.random ?? {})) {
        const values = told.map(({ random }) => random[name]);
        // Python salts its hashes once, when it starts: see docs/limits.md.
        const wanted = name === "hash" ? 1 : CLONES;
        assert.equal(new Set(values).size, wanted, `${name}: ${values.join()}`);
      }
      await Promise.all(sessions.map(destroyed));
    });

  test("are frozen and thawed without a leap of their clock", async () => {
    const session = await clone(runtimes[0] as RuntimeSpec);
    await session.init(code.nodejs.files, code.nodejs.handler);
    await session.invoke(null);
    assert.equal(await session.sandbox.freeze(), true);
    await delay(1000);
    await session.sandbox.thaw();
    await ask(session);
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
