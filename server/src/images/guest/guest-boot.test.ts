import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Flag, FrameReader, FrameWriter, Type } from "@isola/protocol/frames";
import { archiveOf } from "../../../../runtimes/node/test-host.ts";
import type { GuestPaths } from "./guest-images.ts";
import { TestGuest } from "./qemu.fixture.ts";
import { testGuest, whyNoGuest } from "../../drivers/testing/test-guest.ts";

const MiB = 1_048_576;
/** 2030-01-01: by no other clock. */
const atMs = Date.UTC(2030, 0, 1);
const skip = whyNoGuest() ?? false;

const code = `
import errno, os, re, resource, socket, sys, time

def refusal(work):
    try:
        return repr(work())
    except OSError as error:
        return errno.errorcode[error.errno]

def facts(event):
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
    mounts = [line.split() for line in open("/proc/self/mountinfo")]
    return {
        "ids": [os.getresuid(), os.getresgid(), os.getgroups()],
        "rights": [status[name] for name in ("CapBnd", "CapEff", "NoNewPrivs", "Seccomp")],
        "pids": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
        "name": socket.gethostname(), "time": time.time(), "umask": os.umask(0o022),
        "writable": sorted(m[4] for m in mounts if "rw" in m[5].split(",") and m[4] != "/dev/pts"),
        "tmp": os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize,
        "limits": [resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE)],
        "devices": sorted(os.listdir("/dev")),
        "group": open("/proc/self/cgroup").read().strip(),
        "there": [path for path in event["paths"] if os.path.exists(path)],
        "loopback": loopback(),
        "refused": {
            "fds of the first process": refusal(lambda: os.listdir("/proc/1/fd")),
            "its memory": refusal(lambda: open("/proc/1/mem", "rb")),
            "its root": refusal(lambda: os.listdir("/proc/1/root/")),
            "kill": refusal(lambda: os.kill(-1, 0)) and refusal(lambda: open("/proc/sysrq-trigger", "w")),
            "a setting": refusal(lambda: open("/proc/sys/kernel/core_pattern", "w")),
            "a vsock": refusal(lambda: socket.socket(40, socket.SOCK_STREAM)),
            "a namespace": refusal(lambda: os.unshare(0x10000000) if hasattr(os, "unshare") else (_ for _ in ()).throw(PermissionError(1, ""))),
            "the root": refusal(lambda: open("/planted", "w")),
        },
    }

def loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()):
            return "connected"

def handler(event, context):
    op = event["op"]
    if op == "facts":
        return facts(event)
    if op == "write":
        for fd in (1, 2):
            data = memoryview(bytes([65 + fd]) * event["bytes"])
            while data:
                data = data[os.write(fd, data):]
        return "written"
    if op == "echo":
        return event["value"]
    if op == "time":
        return time.time()
    if op == "exit":
        os.write(1, b"last words")
        os._exit(7)
    if op == "grow":
        kept = []
        while True:
            kept.append(b"x" * 1048576)
`;

interface Facts {
  time: number;
  /** What was tried, and the error that it came to. */
  refused: Record<string, string>;
}

/** A host that speaks the protocol on a guest's control stream. */
class Caller {
  readonly #writer: FrameWriter;
  readonly #frames: { type: number; stream: number; payload: Buffer }[] = [];
  #onFrame: () => void = () => {};
  #calls = 0;

  constructor(guest: TestGuest) {
    const control = guest.stream("control");
    this.#writer = new FrameWriter((bytes) => control.write(bytes));
    const reader = new FrameReader("host", (...[type, , stream, buffer, start, end]) => {
      this.#frames.push({ type, stream, payload: Buffer.from(buffer.subarray(start, end)) });
      this.#onFrame();
    });
    control.on("data", (chunk: Buffer) => reader.push(chunk));
  }

  async first(type: number, stream = 0): Promise<Buffer> {
    for (;;) {
      const found = this.#frames.find((each) => each.type === type && each.stream === stream);
      if (found !== undefined) return found.payload;
      await new Promise<void>((resolve) => {
        this.#onFrame = resolve;
      });
    }
  }

  async load(): Promise<void> {
    await this.first(Type.HELLO);
    this.#writer.json(Type.INIT, 0, {
      ...{ sandbox: "sb", project: "p", function: "f", revision: 1, handler: "app.handler" },
      ...{ concurrency: 1, memoryMiB: 128, timeoutMs: 60_000, initTimeoutMs: 60_000, env: {} },
      ...{ taskRoot: "/var/task", requestBodyBytesMax: 8 * MiB, responseBodyBytesMax: 8 * MiB },
      ...{ logLineBytesMax: 9999 },
    });
    this.#writer.frame(Type.CODE, Flag.END, 0, await archiveOf({ "app.py": code }));
    await this.first(Type.READY);
  }

  send(event: object): number {
    const stream = ++this.#calls;
    const head = [`id-${stream}`, ...Array.from({ length: 8 }, () => "")].join("\n");
    this.#writer.invoke(Flag.EVENT, stream, 60_000, Date.now() + 60_000, head);
    this.#writer.body(Flag.END, stream, Buffer.from(JSON.stringify(event)));
    return stream;
  }

  async call<T>(event: object): Promise<T> {
    return JSON.parse(String(await this.first(Type.BODY, this.send(event)))) as T;
  }
}

/** Everything of a stream that comes, until it is so long. */
async function bytesOf(
  guest: TestGuest,
  name: "stdout" | "stderr",
  bytes: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let seen = 0;
  for await (const chunk of guest.stream(name).iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    seen += (chunk as Buffer).length;
    if (seen >= bytes) break;
  }
  return Buffer.concat(chunks);
}

describe("a guest under QEMU", { skip, timeout: 600_000 }, () => {
  let paths: GuestPaths;
  let guest: TestGuest;
  let caller: Caller;

  before(async () => {
    paths = await testGuest("python");
    guest = await TestGuest.boot(paths);
    caller = new Caller(guest);
  });
  after(async () => {
    await guest?.close();
  });

  test("says that it is up, and refuses lines that it does not understand", async () => {
    assert.equal(await guest.line(() => true), "up 1");
    for (const [line, answer] of [
      ["nonsense", /^problem a line begins with a number/],
      ["-1 usage", /^problem a line begins/],
      ["90 nonsense", /^90 failed expected prepare, start/],
      ["91 start 1 2 3", /^91 failed not as many words/],
      [`92 start x ${"0".repeat(256)} 1 1 1`, /^92 failed the time is no number/],
      [`93 start 1 ${"g".repeat(256)} 1 1 1`, /^93 failed the seed/],
      [`94 start 1 ${"0".repeat(256)} 0 1 1`, /^94 failed a limit is 0/],
      ["95 limits 99999999999999999999 1", /^95 failed a limit is no number/],
      ["x".repeat(10_000), /^problem a line has more than 4096 bytes/],
    ] as const) {
      guest.send(`${line}\n`);
      assert.match(await guest.line(() => true), answer);
    }
  });

  test("starts the runtime with a clock, limits and streams", async () => {
    assert.equal(await guest.start({ atMs, tmpMiB: 48, memoryMiB: 160, pids: 20 }), "ok");
    await caller.load();
    assert.match(await guest.start(), /^failed the runtime has been started/);
    assert.match(await guest.ask(`prepare ${MiB} 1 1`), /^failed the runtime has been started/);
  });

  test("shows the code what a sandbox shows, and nothing of init", async () => {
    const paths = [
      "/sys",
      "/usr/bin/sh",
      "/root",
      "/init",
      "/dev/vda",
      "/dev/vport0p1",
      "/sys/fs/cgroup",
      "/proc/kcore/x",
    ];
    const facts = await caller.call<Facts>({
      op: "facts",
      paths,
    });
    const { time, refused, ...rest } = facts;
    assert.deepEqual(rest, {
      ids: [[65534, 65534, 65534], [65534, 65534, 65534], []],
      rights: ["0000000000000000", "0000000000000000", "1", "2"],
      ...{ pids: [1, 2], name: "sandbox", umask: 0o022, tmp: 48 * MiB, group: "0::/", there: [] },
      writable: ["/dev/shm", "/tmp", "/var/task"],
      limits: [
        [1024, 1024],
        [0, 0],
      ],
      devices: [
        "fd",
        "full",
        "null",
        "ptmx",
        "pts",
        "random",
        "shm",
        "stderr",
        "stdin",
        "stdout",
        "tty",
        "urandom",
        "zero",
      ],
      loopback: "connected",
    });
    assert(time >= atMs / 1000 && time < atMs / 1000 + 600, String(time));
    for (const [what, how] of Object.entries(refused))
      assert.match(how, /^(EPERM|EACCES|EROFS|EAFNOSUPPORT)$/, `${what}: ${how}`);
  });

  test("answers what the group uses, and takes limits and the time", async () => {
    const [word = "", memory = "", cpuMicros = "", pids = ""] = (await guest.ask("usage")).split(
      " ",
    );
    assert.equal(word, "ok");
    assert(Number(memory) > MiB && Number(memory) <= 160 * MiB && Number(cpuMicros) > 0, memory);
    assert(Number(pids) >= 1 && Number(pids) <= 20, pids);
    assert.equal(await guest.ask(`limits ${200 * MiB} 30`), "ok");
    assert.equal(await guest.ask(`time ${BigInt(Date.UTC(2031, 0, 1)) * 1_000_000n}`), "ok");
    const seconds = await caller.call<number>({ op: "time" });
    assert(seconds >= Date.UTC(2031, 0, 1) / 1000, String(seconds));
  });

  test("carries bodies and output whole, however large", async () => {
    const value = "v".repeat(60_000);
    assert.equal(await caller.call({ op: "echo", value }), value);
    const bytes = 3 * MiB;
    const outputs = Promise.all([bytesOf(guest, "stdout", bytes), bytesOf(guest, "stderr", bytes)]);
    assert.equal(await caller.call({ op: "write", bytes }), "written");
    const [out, err] = await outputs;
    assert.equal(out.equals(Buffer.alloc(bytes, "B")), true);
    assert.equal(err.equals(Buffer.alloc(bytes, "C")), true);
  });

  test("hands over the last words, says how it ended, and ends the machine", async () => {
    const words = bytesOf(guest, "stdout", 10);
    caller.send({ op: "exit" });
    assert.equal(await guest.line(() => true), "exit code 7");
    assert.equal(String(await words), "last words");
    await guest.ended();
  });

  test("stands at the gate in the past, goes on in the present, and tells of a kill for memory", async () => {
    const other = await TestGuest.boot(paths);
    try {
      await other.line((line) => line === "up 1");
      assert.equal(await other.ask(`prepare ${160 * MiB} 64 ${48 * MiB}`), "ok");
      const second = new Caller(other);
      await other.line((line) => line === "gate");
      assert.equal(await other.start({ atMs, memoryMiB: 120 }), "ok");
      await second.load();
      const seconds = await second.call<number>({ op: "time" });
      assert(seconds >= atMs / 1000 && seconds < atMs / 1000 + 600, String(seconds));
      second.send({ op: "grow" });
      assert.equal(await other.line(() => true), "oom");
      assert.equal(await other.line(() => true), "exit signal 9");
      await other.ended();
    } finally {
      await other.close();
    }
  });
});
