import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type Server, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { MiB } from "../../../domain/limits.ts";
import { findCgroups } from "../../cgroups/find-cgroups.ts";
import { findMarked } from "../../cgroups/process-table.ts";
import type { RuntimeSpec, SandboxSpec, StreamEnds } from "../../driver.ts";
import type { GuestSource } from "../guests.ts";
import { MicrovmDriver } from "../microvm-driver.ts";
import { QemuVmm } from "../qemu/qemu-vmm.ts";
import { type Misdeed, writeFakeQemu } from "./fake-qemu.ts";

export interface FakeStand {
  folder: string;
  nodeId: string;
  problems: string[];
  /** A life of the driver. */
  driver(bootId?: string): MicrovmDriver;
  /** From now on. */
  misbehave(misdeed: Misdeed): void;
  /** What the programs did so far. */
  deeds(): string[];
  /** Processes, groups and folders of the node that are there now. */
  leftovers(): Promise<string[]>;
  snapshotsFolder: string;
}

const runtime = { name: "nodejs26", family: "nodejs", version: "26.0.0", executable: "/x" };
let count = 0;

export function specOf(memoryMiB = 128): SandboxSpec {
  count += 1;
  const limits = { memoryBytes: memoryMiB * MiB, pidsMax: 64 };
  const id = `sb-${process.pid}-${count}`;
  return { id, runtime: runtime as RuntimeSpec, limits, tmpBytes: MiB };
}

/** Drivers with a program in QEMU's place. */
export function fakeStand(misdeed: Misdeed, nodeId: string, folder: string): FakeStand {
  mkdirSync(join(folder, "program"), { recursive: true });
  for (const each of [folder, join(folder, "program")]) chmodSync(each, 0o755);
  const guest = { ...guestFiles(folder), tools: null, digest: "d".repeat(64) };
  const guests: GuestSource = {
    any: guest,
    of: async () => guest,
    kernel: async () => "6.1.0",
    close: () => {},
  };
  const problems: string[] = [];
  const keptDir = join(folder, "kept");
  let program = writeFakeQemu(join(folder, "program"), misdeed);
  return {
    ...{ folder, nodeId, problems, snapshotsFolder: join(keptDir, "snapshots") },
    driver: (bootId = "this") =>
      new MicrovmDriver({
        ...{ nodeId, bootId, keptDir, guests, stateDir: join(folder, "state") },
        vmms: [
          new QemuVmm({ accelerator: "emulation", keptDir, program, without: ["bubblewrap"] }),
        ],
        snapshotBytesMax: 100 * MiB,
        log: { warn: (_, text) => problems.push(text) },
      }),
    misbehave: (next) => {
      program = writeFakeQemu(join(folder, "program"), next);
    },
    deeds: () => readFileSync(join(folder, "program/deeds"), "utf8").split("\n").filter(Boolean),
    leftovers: () => leftoversOf(nodeId, join(folder, "state")),
  };
}

/** As `fakeStand`, for a test: at its end nothing may be left. */
export function newFakeStand(t: TestContext, misdeed: Misdeed): FakeStand {
  const folder = mkdtempSync(join(tmpdir(), "isola-fake-qemu-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return fakeStand(misdeed, `test-${process.pid}-${randomBytes(4).toString("hex")}`, folder);
}

/** Keeps the file itself where the real one keeps a copy. */
const SEALER = "#!/bin/sh\nexec 3<&0 && echo sealed && exec sleep 60\n";

function guestFiles(folder: string) {
  const file = (name: string, content = name) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o755 });
    return path;
  };
  const sealer = file("seal-memory", SEALER);
  return { kernel: file("kernel"), initramfs: file("initramfs"), root: file("root"), sealer };
}

/** Somebody who takes all streams and reads none. */
export async function openEnds(
  folder: string,
): Promise<{ ends: StreamEnds; close(): void; server: Server }> {
  const path = join(folder, "streams.sock");
  const server = createServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const ends: StreamEnds = {
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = connect(path, () => resolve(socket));
        socket.once("error", reject);
      }),
    listen: () => Promise.reject(new Error("nobody listens")),
  };
  return { ends, server, close: () => server.close() };
}

async function leftoversOf(nodeId: string, stateDir: string): Promise<string[]> {
  const isOurs = (text: string) => text.startsWith(`isola.${nodeId}.`);
  const groups = (await findCgroups().tree?.leftovers(isOurs)) ?? [];
  const processes = await findMarked(isOurs);
  const machines = join(stateDir, "machines");
  let folders: string[] = [];
  try {
    folders = readdirSync(machines);
  } catch {
    // none was made
  }
  return [
    ...groups.map(({ name }) => `cgroup ${name}`),
    ...processes.map(({ mark }) => `process ${mark}`),
    ...folders.map((name) => `folder ${name}`),
  ];
}
