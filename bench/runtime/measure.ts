import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Driver, RuntimeSpec, Sandbox } from "../../server/src/drivers/driver.ts";
import { parsePrivateBytes } from "../memory.ts";
import { processTree } from "../process-tree.ts";
import { archiveOf, type FunctionName, functions } from "./functions.ts";
import { SandboxClient } from "./sandbox-client.ts";

const MiB = 2 ** 20;
/** Until a blank sandbox has warmed up and come to rest. */
const REST_MS = 900;
const BATCH = 32;

export interface Subject {
  name: string;
  driver: Driver;
  runtimes: RuntimeSpec[];
}

/** Of one sandbox; times in ms, CPU in microseconds per call, memory in bytes. */
export interface Sample {
  helloMs: number;
  readyMs: number;
  firstCallMs: number;
  /** By the smaller of its halves, so that compiling and a neighbour's noise count less. */
  cpuMicrosBatched: number;
  cpuMicrosAlone: number;
  blankBytes: number;
  idleBytes: number;
  usedBytes: number;
  processes: number;
}

let started = 0;

async function start(subject: Subject, name: FunctionName): Promise<Sandbox> {
  const { family } = functions[name];
  const runtime = subject.runtimes.find((each) => each.family === family);
  if (runtime === undefined) throw new Error(`no ${family} on this machine`);
  const id = `bench-${process.pid}-${++started}`;
  const limits = { memoryBytes: 256 * MiB, pidsMax: 64 };
  const spec = { id, runtime, limits, tmpBytes: 64 * MiB };
  return await subject.driver.start(spec, AbortSignal.timeout(30_000));
}

/** Starts a sandbox that stays: pages of files that it has mapped too are private to no other. */
export async function startNeighbour(subject: Subject, name: FunctionName): Promise<void> {
  const sandbox = await start(subject, name);
  const client = new SandboxClient(sandbox);
  await client.hello();
  await delay(REST_MS);
  const { file, handler, code } = functions[name];
  await client.claim(settingsOf(sandbox, handler), archiveOf(file, code));
  await client.call(1);
}

/** One sandbox from its start to its end. */
export async function measureOne(
  subject: Subject,
  name: FunctionName,
  calls: number,
): Promise<Sample> {
  const { file, handler, code } = functions[name];
  const startedAt = performance.now();
  const sandbox = await start(subject, name);
  try {
    const client = new SandboxClient(sandbox);
    await client.hello();
    const helloMs = performance.now() - startedAt;
    await delay(REST_MS);
    const blank = memoryOf(sandbox);
    const archive = archiveOf(file, code);
    const claimedAt = performance.now();
    await client.claim(settingsOf(sandbox, handler), archive);
    const readyMs = performance.now() - claimedAt;
    await client.call(1);
    const firstCallMs = performance.now() - claimedAt;
    await delay(REST_MS);
    const idle = memoryOf(sandbox);
    const cpuMicrosAlone = await cpuOf(client, calls, 1);
    const cpuMicrosBatched = await cpuOf(client, calls * 4, BATCH);
    await delay(REST_MS);
    const used = memoryOf(sandbox);
    return {
      ...{ helloMs, readyMs, firstCallMs, cpuMicrosAlone, cpuMicrosBatched },
      ...{ blankBytes: blank.bytes, idleBytes: idle.bytes, usedBytes: used.bytes },
      processes: blank.processes,
    };
  } finally {
    await sandbox.destroy("shutdown");
  }
}

async function cpuOf(client: SandboxClient, calls: number, batch: number): Promise<number> {
  const parts: number[] = [];
  for (let part = 0; part < 4; part++) {
    const before = await client.cpuMicros();
    const rounds = Math.ceil(calls / 4 / batch);
    for (let i = 0; i < rounds; i++) await client.call(batch);
    parts.push(((await client.cpuMicros()) - before) / (rounds * batch));
  }
  return Math.min(...parts);
}

/** The first process that has the sandbox's mark among its arguments. */
function pidOf(id: string): number {
  const pids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  const marked = pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`.${id}\0`);
    } catch {
      return false; // it has ended
    }
  });
  return Math.min(...marked);
}

/** Private bytes of every process of the sandbox. */
function memoryOf(sandbox: Sandbox): { bytes: number; processes: number } {
  const tree = processTree(pidOf(sandbox.id));
  const texts = tree.map((each) => readFileSync(`/proc/${each.pid}/smaps_rollup`, "utf8"));
  const bytes = texts.reduce((sum, text) => sum + parsePrivateBytes(text), 0);
  return { bytes, processes: tree.length };
}

function settingsOf(sandbox: Sandbox, handler: string) {
  return {
    ...{ sandbox: sandbox.id, project: "default", function: "hello", revision: 1, handler },
    ...{ concurrency: BATCH, memoryMiB: 256, timeoutMs: 30_000, initTimeoutMs: 10_000 },
    ...{ env: { GREETING: "hello" }, taskRoot: sandbox.taskRoot, logLineBytesMax: 262_144 },
    ...{ requestBodyBytesMax: 6 * MiB, responseBodyBytesMax: 6 * MiB },
  };
}
