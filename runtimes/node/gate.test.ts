import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Type } from "../../protocol/src/frames.mjs";
import { generatorOf } from "./gate.mjs";
import { rehearseControl } from "./rehearsal.mjs";
import { TestHost } from "./test-host.ts";

interface Found {
  random: number[];
  originAgeMs: number;
  isOriginTold: boolean;
  sockets: string[];
  variable: string | null;
  shape: unknown[];
}

const code = `
import { readdirSync, readlinkSync } from "node:fs";
const linkOf = (fd) => { try { return fd + " " + readlinkSync("/proc/self/fd/" + fd); } catch { return ""; } };
export const handler = async () => ({
  random: [Math.random(), Math.random()],
  originAgeMs: Date.now() - performance.now() - performance.timeOrigin,
  isOriginTold: performance.toJSON().timeOrigin === performance.timeOrigin,
  sockets: readdirSync("/proc/self/fd").map(linkOf).filter((each) => /^4 socket/.test(each)),
  variable: process.env.ISOLA_GATE ?? null,
  shape: [Math.random.name, Math.random.length, Object.keys(Math)],
});`;

/** What a function finds behind a gate that was opened with this seed. */
async function behindGate(seed: Buffer): Promise<Found> {
  await using host = new TestHost({ ISOLA_GATE: "fd:4" });
  const [byte] = (await once(host.gate, "data")) as [Buffer];
  assert.equal(byte.length, 1);
  assert.deepEqual(host.frames, []);
  host.gate.write(seed);
  return await foundBy(host);
}

async function foundBy(host: TestHost): Promise<Found> {
  await host.load({ "index.mjs": code });
  await host.first((frame) => frame.type === Type.READY);
  const { body } = await host.invoke({ event: {} });
  return JSON.parse(String(body)) as Found;
}

test("nothing is said before the gate is open, and behind it a function is served", async () => {
  const found = await behindGate(randomBytes(64));
  assert.deepEqual(found.shape, ["random", 0, []]);
  assert.equal(found.variable, null);
  assert.deepEqual(found.sockets, []);
  assert.equal(found.isOriginTold, true);
  // The two clocks are read one after the other.
  assert(Math.abs(found.originAgeMs) < 1000, String(found.originAgeMs));
});

test("the seed alone decides what Math.random gives", async () => {
  const [seed, other] = [randomBytes(64), randomBytes(64)];
  const [one, same, another] = await Promise.all([seed, seed, other].map(behindGate));
  assert.deepEqual(one?.random, same?.random);
  assert.notDeepEqual(one?.random, another?.random);
});

test("where the gate is the control stream, that begins behind the seed", async () => {
  const seed = randomBytes(64);
  await using host = new TestHost({ ISOLA_GATE: "fd:3" });
  await once(host.control, "data");
  for (const part of [seed.subarray(0, 5), seed.subarray(5)]) host.control.write(part);
  const { random, variable } = await foundBy(host);
  assert.deepEqual(random, (await behindGate(seed)).random);
  assert.equal(variable, null);
});

test("a gate whose module cannot be loaded is not reached", async () => {
  await using host = new TestHost({ ISOLA_GATE: "fd:4", ISOLA_RESEED: "/nonexistent.node" });
  assert.equal(await host.exited, 72);
  assert.match(host.output, /^isola: .*nonexistent\.node/);
});

test("a gate that nobody opens ends the process", async () => {
  await using host = new TestHost({ ISOLA_GATE: "fd:4" });
  await once(host.gate, "data");
  host.gate.destroy();
  assert.equal(await host.exited, 72);
});

test("numbers of the generator are spread over all of 0 to 1, in every bit", () => {
  const next = generatorOf(randomBytes(64));
  const rounds = 20_000;
  const counts = Array.from({ length: 53 }, () => 0);
  let sum = 0;
  for (let round = 0; round < rounds; round++) {
    const value = next();
    assert(value >= 0 && value < 1);
    sum += value;
    for (let bit = 0, rest = value * 2 ** 53; bit < 53; bit++, rest = Math.floor(rest / 2))
      counts[bit] = (counts[bit] ?? 0) + (rest % 2);
  }
  // Seven standard deviations.
  const isNear = (part: number, half: number) => Math.abs(part - half) < 7 * half * rounds ** -0.5;
  assert(isNear(sum / rounds, 0.5), String(sum / rounds));
  for (const count of counts) assert(isNear(count / rounds, 0.5), counts.join());
});

test("what is walked before the gate comes to its end, and leaves no folder and no descriptor", async () => {
  const { TMPDIR } = process.env;
  const folder = mkdtempSync(join(tmpdir(), "isola-gate-test-"));
  process.env.TMPDIR = folder;
  try {
    const before = readdirSync("/proc/self/fd").length;
    await rehearseControl();
    assert.equal(readdirSync("/proc/self/fd").length, before);
    assert.deepEqual(readdirSync(folder), []);
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    rmSync(folder, { recursive: true });
  }
});
