import assert from "node:assert/strict";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { findQemu } from "../qemu/find-qemu.ts";
import type { Trouble } from "../testing/firecracker-stand-in/config.ts";
import { type Trial, never, openTrial, processesIn } from "../testing/firecracker-trial.ts";
import type { MachineSnapshot, MachineSpec } from "../vmm.ts";
import { findFirecracker } from "./find-firecracker.ts";
import { type StartContext, startMachine } from "./start-machine.ts";

const { qemu } = await findQemu();
const skip =
  qemu === null ? "no QEMU: apt-get install --no-install-recommends qemu-system-x86" : false;

type Setting = Parameters<typeof openTrial>[1] & object;

async function contextOf(t: TestContext, setting: Setting = {}) {
  const trial = await openTrial(t, setting);
  const { isJailed = false } = setting;
  const programs = await findFirecracker(trial.programs, isJailed);
  assert(!("problem" in programs));
  return { trial, context: { programs, stateDir: trial.folder } satisfies StartContext };
}

/** A start fails with this message, and leaves no process, no listener and no descriptor of a control group. */
async function startFails(
  { trial, context }: Awaited<ReturnType<typeof contextOf>>,
  message: RegExp,
  { spec = trial.spec(), snapshot = null as MachineSnapshot | null, signal = never } = {},
): Promise<void> {
  const before = openSockets();
  const entry = openSync(join(trial.folder, "entered"), "w");
  const entered = { ...spec, entries: [entry] };
  await assert.rejects(startMachine(context, entered, snapshot, signal), {
    code: "sandbox_start_failed",
    message,
  });
  assert.deepEqual(processesIn(trial.folder), []);
  assert.throws(() => closeSync(entry), { code: "EBADF" });
  assert.deepEqual(openSockets(), before);
}

/** Unix sockets of this process that have a name: those that listen. */
function openSockets(): string[] {
  const named = /^\S+ \S+ \S+ \S+ \S+ \S+ +(\d+) (\/proc\/self\/fd\/.*)$/gm;
  const listed = readFileSync("/proc/net/unix", "latin1");
  const own = new Set(
    readdirSync("/proc/self/fd").map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ""; // that of the listing itself
      }
    }),
  );
  return [...listed.matchAll(named)]
    .filter(([, inode]) => own.has(`socket:[${inode}]`))
    .map(([, , path]) => path as string);
}

describe("a Firecracker that", () => {
  const dies = "Firecracker ended with SIGKILL|answer to .* did not come";
  const troubles: Record<string, [Trouble, RegExp]> = {
    "dies before it listens": [{ at: "start", does: "die" }, /Firecracker ended with SIGKILL/],
    "dies at its first call": [{ at: "PUT /boot-source", does: "die" }, RegExp(dies)],
    "dies before InstanceStart": [{ at: "PUT /actions", does: "die" }, RegExp(dies)],
    "answers with garbage": [{ at: "PUT /vsock", does: "garbage" }, /PUT \/vsock did not come/],
    "answers with HTML": [{ at: "PUT /entropy", does: "text" }, /status 400, <html>no<\/html>/],
    "answers without end": [{ at: "GET /", does: "huge" }, /longer than 65536 bytes/],
  };
  for (const [what, [trouble, message]] of Object.entries(troubles))
    test(`${what} is an error of the start, and nothing of it is left`, async (t) => {
      await startFails(await contextOf(t, { trouble }), message);
    });

  test("does not answer is ended when the start is given up", async (t) => {
    const stand = await contextOf(t, { trouble: { at: "PUT /vsock", does: "hang" } });
    const spec = stand.trial.spec();
    const given = new AbortController();
    // It has been asked once its first files are there.
    const asked = setInterval(() => {
      if (readdirSync(spec.folder).includes("api")) given.abort();
    }, 20);
    t.after(() => clearInterval(asked));
    await startFails(stand, /given up/, { spec, signal: given.signal });
  });

  test("dies after InstanceStart takes its guest with it", { skip }, async (t) => {
    const trouble: Trouble = { at: "after PUT /actions", does: "die" };
    await startFails(await contextOf(t, { trouble }), RegExp(dies));
  });

  test("is not the one that was started is not used", async (t) => {
    const stand = await contextOf(t);
    const spec = stand.trial.spec();
    const stranger = createServer((socket) => {
      const body = JSON.stringify({ id: "another", state: "Running" });
      socket.on("error", () => {});
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    });
    await new Promise<void>((resolve) => stranger.listen(join(spec.folder, "api"), resolve));
    t.after(() => stranger.close());
    // The real one cannot listen there, and which of the two is noticed first is open.
    await startFails(stand, /"id":"another".* was expected|ended with status 1/, { spec });
  });
});

describe("a machine whose", () => {
  const without = (name: "kernel" | "initramfs" | "root") => (trial: Trial) => ({
    guest: { ...trial.guest, [name]: join(trial.folder, "gone") },
  });
  const lacks: Record<string, [(trial: Trial) => Partial<MachineSpec>, RegExp]> = {
    "kernel is missing": [without("kernel"), /The kernel file cannot be opened: No such file/],
    "initramfs is missing": [without("initramfs"), /initrd file cannot be opened.* No such file/],
    "root image is missing": [without("root"), /backing file: No such file.* root/],
    "memory is none": [
      () => ({ shape: { memoryMiB: 0, vcpus: 1 } }),
      /Machine config error: The memory size/,
    ],
    "processors are too many": [
      () => ({ shape: { memoryMiB: 128, vcpus: 64 } }),
      /Machine config error: The number of vCPUs/,
    ],
  };
  for (const [what, [more, message]] of Object.entries(lacks))
    test(`${what} does not start, and Firecracker's words say why`, async (t) => {
      const stand = await contextOf(t);
      await startFails(stand, message, { spec: stand.trial.spec(more(stand.trial)) });
    });

  test("vsock is taken does not start", async (t) => {
    const stand = await contextOf(t);
    const spec = stand.trial.spec();
    writeFileSync(join(spec.folder, "v"), "");
    await startFails(stand, /host-side Unix socket: Address already in use/, { spec });
    const other = stand.trial.spec();
    writeFileSync(join(other.folder, "v_1027"), "");
    await startFails(stand, /vsock cannot be opened: listen EADDRINUSE/, { spec: other });
  });

  test("folder has a longer path than a socket's may be is started as any other", async (t) => {
    const stand = await contextOf(t);
    const folder = join(stand.trial.folder, "x".repeat(200));
    mkdirSync(folder);
    const guest = { ...stand.trial.guest, kernel: "/nonexistent" };
    const spec = stand.trial.spec({ folder, guest });
    await startFails(stand, /The kernel file cannot be opened/, { spec });
  });

  test("streams the gateway does not take does not start", async (t) => {
    const stand = await contextOf(t);
    const refuse = () => Promise.reject(new Error("no more descriptors"));
    const spec = stand.trial.spec({ ends: { dial: refuse, listen: refuse } });
    await startFails(stand, /vsock cannot be opened: no more descriptors/, { spec });
  });

  test("start was given up before it began leaves nothing", async (t) => {
    await startFails(await contextOf(t), /given up/, { signal: AbortSignal.abort() });
  });
});

describe("a Firecracker before 1.17", () => {
  test("is not given a kernel that cannot be unpacked", async (t) => {
    const stand = await contextOf(t, { version: "1.16.1" });
    await startFails(stand, /a-kernel cannot be unpacked: it is compressed with something that/);
  });
});

describe("a snapshot", () => {
  const bytes = 256 * 1_048_576;
  const cases: Record<string, [(folder: string) => void, RegExp]> = {
    "without a memory file": [() => {}, /the snapshot has no memory file: ENOENT/],
    "whose memory file is too short": [
      (folder) => writeFileSync(join(folder, "memory"), "short"),
      RegExp(`memory has 5 bytes, and a memory of 256 MiB ${bytes}`),
    ],
    "without a state": [
      (folder) => sparse(join(folder, "memory"), bytes),
      /Failed to open snapshot file: No such file/,
    ],
    "whose state is damaged": [
      (folder) => {
        sparse(join(folder, "memory"), bytes);
        writeFileSync(join(folder, "state"), Buffer.alloc(1000, 7));
      },
      /refused PUT \/snapshot\/load: Load snapshot error: .*bitcode error/,
    ],
  };
  for (const [what, [make, message]] of Object.entries(cases))
    test(`${what} is not gone on with, and nothing is left`, async (t) => {
      const stand = await contextOf(t);
      const folder = join(stand.trial.folder, "snapshot");
      mkdirSync(folder);
      make(folder);
      await startFails(stand, message, { snapshot: { folder, files: ["state", "memory"] } });
    });
});

function sparse(path: string, bytes: number): void {
  const file = openSync(path, "w");
  ftruncateSync(file, bytes);
  closeSync(file);
}
