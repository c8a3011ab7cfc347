import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Session, destroyed } from "../conformance/session.ts";
import type { Driver, RuntimeSpec, SandboxLimits } from "../driver.ts";

const CLONES = 4;
/** Of the clocks of two machines, one of which is emulated on a busy host. */
const APART_MS_MAX = 1000;

/** What tells two sandboxes apart that were one a moment ago, and what they must agree on with the host. */
interface Told {
  random: Record<string, string>;
  wallMs: number;
}

const kernelFile = "/proc/sys/kernel/random/uuid";

export const codeOfClones = {
  nodejs: {
    handler: "index.handler",
    files: {
      "index.mjs": `
import { generateKeyPairSync, randomBytes, randomInt, randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
const inWorker = () => new Promise((resolve) => new Worker(
  'require("node:worker_threads").parentPort.postMessage(Math.random() + require("node:crypto").randomBytes(8).toString("hex"))',
  { eval: true }).once("message", resolve));
export const handler = async () => ({
  random: {
    math: String(Math.random()), bytes: randomBytes(16).toString("hex"), uuid: randomUUID(),
    web: Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex"),
    later: (await promisify(randomBytes)(16)).toString("hex"), int: String(randomInt(2 ** 47)),
    key: generateKeyPairSync("x25519").privateKey.export({ format: "der", type: "pkcs8" }).toString("hex"),
    worker: await inWorker(),
    ...(existsSync("${kernelFile}") && { kernel: readFileSync("${kernelFile}", "latin1") }),
  },
  wallMs: Date.now(),
});`,
    },
  },
  python: {
    handler: "index.handler",
    files: {
      "index.py": `
import os, random, secrets, ssl, tempfile, time, uuid
def handler(event, context=None):
    kernel = {"kernel": open("${kernelFile}").read()} if os.path.exists("${kernelFile}") else {}
    return {
        "random": {
            "random": str(random.random()), "system": os.urandom(16).hex(), "secrets": secrets.token_hex(16),
            "uuid": str(uuid.uuid4()), "ssl": ssl.RAND_bytes(16).hex(), "hash": str(hash("isola")),
            "name": next(tempfile._get_candidate_names()), **kernel,
        },
        "wallMs": time.time() * 1000,
    }
`,
    },
  },
};

/** A sandbox that goes on from a snapshot: the first ones boot, until one is taken. */
export async function cloneOf(
  driver: Driver,
  runtime: RuntimeSpec,
  { limits, msMax }: { limits?: SandboxLimits; msMax: number },
): Promise<Session> {
  for (const giveUp = AbortSignal.timeout(msMax); ; await delay(500)) {
    const session = await Session.start(driver, runtime, limits);
    if (session.sandbox.startedFrom === "snapshot") return session;
    await destroyed(session);
    assert(!giveUp.aborted, "no snapshot was taken");
  }
}

/** What it tells; its clock is that of the host, whenever in between it was looked at. */
export async function askClone(session: Session): Promise<Told> {
  const before = Date.now();
  const told = await session.invoke<Told>(null);
  const isRight = told.wallMs > before - APART_MS_MAX && told.wallMs < Date.now() + APART_MS_MAX;
  assert(isRight, `${told.wallMs - before} ms after it was asked`);
  return told;
}

/** Several at once share no randomness, and have the clock of their host. */
export async function clonesAreApart(driver: Driver, runtime: RuntimeSpec, msMax: number) {
  await destroyed(await cloneOf(driver, runtime, { msMax }));
  const clones = Array.from({ length: CLONES }, () => cloneOf(driver, runtime, { msMax }));
  const sessions = await Promise.all(clones);
  const { files, handler } = codeOfClones[runtime.family];
  await Promise.all(sessions.map((session) => session.init(files, handler)));
  const told = await Promise.all(sessions.map(askClone));
  for (const name of Object.keys(told[0]?.random ?? {})) {
    const values = told.map(({ random }) => random[name]);
    // Python salts its hashes once, when it starts: see docs/limits.md.
    const wanted = name === "hash" ? 1 : CLONES;
    assert.equal(new Set(values).size, wanted, `${name}: ${values.join()}`);
  }
  await Promise.all(sessions.map(destroyed));
}
