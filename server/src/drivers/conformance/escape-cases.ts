import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { requireNoRights } from "./view-cases.ts";
import { type Session, soon } from "./session.ts";
import type { Stand } from "./stand.ts";

/** What a group of attempts came to: names with the error, and names with what was reached. */
interface Attempts {
  refused: Record<string, string>;
  reached: Record<string, string>;
}

interface Inherited {
  mine: string[];
  handedOn: string[];
}

/** Groups of `code/escape_*.py`, each a case of its own. */
const groups = {
  files: "no path leads to a file of the host",
  mounts: "nothing can be mounted or unmounted",
  devices: "there are no devices but the harmless ones, and none can be made",
  "platform-files": "the interpreter, the runtime and the libraries cannot be changed",
  "kernel-settings": "nothing in /proc and /sys can be opened for writing",
  "host-processes": "no process outside can be seen, signalled, traced or read",
  namespaces: "no namespace can be made or joined",
  rights: "there is no way to root, to more capabilities or to higher limits",
  keyrings: "keyrings cannot be reached",
  tracing: "processes cannot be traced",
  "kernel-parts": "seldom used parts of the kernel cannot be reached",
  "foreign-abi": "system calls of another architecture are refused",
  terminals: "nothing can be typed into a terminal, and no line discipline be loaded",
  "socket-kinds": "there are no sockets but those of unix and the internet",
  "host-sockets": "unix sockets of the host cannot be reached",
};

/** Code in a sandbox tries to get out. */
export function escapeCases(stand: Stand): void {
  if (!stand.has("python")) return;
  for (const [group, title] of Object.entries(groups))
    stand.case(`escape-${group}`, title, async (room) => {
      const host = await HostSide.open();
      try {
        const { refused, reached } = await host.attempt(await room.ready("python"), group);
        const names = Object.keys({ ...refused, ...reached });
        assert(names.length > 0, "nothing was tried");
        // Nothing but what is left out with its reason, and that only where it is needed.
        const expected = names.filter((name) => stand.leaves(`${group}-${name}`));
        const text = `reached were ${JSON.stringify(reached)}, refused ${JSON.stringify(refused)}`;
        assert.deepEqual(Object.keys(reached).sort(), expected.sort(), text);
      } finally {
        await host.close();
      }
    });

  stand.case(
    "every-process",
    "every process in the sandbox is without capabilities, without root and without a way to them",
    async (room) => {
      const session = await room.ready("python");
      await session.invoke({ op: "orphan" });
      const statuses = await session.invoke<string[]>({ op: "statuses" });
      assert(statuses.length >= 2);
      for (const status of statuses) {
        requireNoRights(stand, status);
        assert.doesNotMatch(status, /[UG]id:.*\b0\b/);
      }
    },
  );

  stand.case(
    "writable-mounts",
    "what can be written is in memory, sized, and holds no devices and no setuid programs",
    async (room) => {
      const session = await room.ready("python");
      const mounts = await session.invoke<string>({ op: "text", path: "/proc/self/mountinfo" });
      const writable = mounts
        .trim()
        .split("\n")
        .map(parseMount)
        .filter(isOnTop)
        .filter(canBeWritten);
      const wanted = ["/dev/shm", "/tmp", "/var/task"];
      if (stand.leaves("mount-dev")) wanted.push("/dev");
      assert.deepEqual(writable.map((mount) => mount.at).sort(), wanted.sort());
      const isOptionShown = !stand.leaves("mount-options");
      for (const { at, type, options, size } of writable.filter((each) => each.at !== "/dev")) {
        assert.equal(type, "tmpfs", at);
        const isSafe = options.includes("nosuid") && options.includes("nodev");
        assert.equal(isSafe, isOptionShown, `${at}: ${options}`);
        assert.match(size, /^size=\d+k?$/, at);
      }
    },
  );
  controlCases(stand);
  signalCases(stand);
}

function controlCases(stand: Stand): void {
  for (const family of ["nodejs", "python"] as const) {
    stand.case(
      "inherited",
      `a program started by the code gets no socket or pipe of the platform (${family})`,
      async (room) => {
        const session = await room.ready(family);
        const { mine, handedOn } = await session.invoke<Inherited>({ op: "inherited" });
        assert(mine.length > 0, "the runtime has neither");
        assert.deepEqual(handedOn, []);
      },
    );

    stand.case(
      "lie",
      `nonsense on the control stream harms nobody else (${family})`,
      async (room) => {
        const [liar, neighbour] = await Promise.all([room.ready(family), room.ready(family)]);
        liar.invokeAndForget({ op: "lie" });
        assert.match(await liar.broken, /\S/);
        const answer = await neighbour.invoke({ op: "echo", value: 1 });
        assert.deepEqual(answer, { value: 1, greeting: "hello" });
      },
    );
  }
}

function signalCases(stand: Stand): void {
  stand.case(
    "signal-everyone",
    "a signal to the first process and to everyone stays inside",
    async (room) => {
      let heard = 0;
      const onSignal = () => {
        heard += 1;
      };
      process.on("SIGURG", onSignal);
      try {
        const session = await room.ready("python");
        await session.invoke({ op: "signal_everyone" });
        // One that is sent now is the last that can arrive.
        process.kill(process.pid, "SIGURG");
        while (heard === 0) await delay(1);
        assert.equal(heard, 1);
      } finally {
        process.off("SIGURG", onSignal);
      }
    },
  );
}

interface Mount {
  at: string;
  type: string;
  options: string[];
  size: string;
}

/** A line of `/proc/self/mountinfo`. */
function parseMount(line: string): Mount {
  const [before = "", after = ""] = line.split(" - ");
  const [, , , , at = "", options = ""] = before.split(" ");
  const [type = "", , ofAll = ""] = after.split(" ");
  const size = ofAll.split(",").find((each) => each.startsWith("size=")) ?? "";
  return { at, type, options: options.split(","), size };
}

/** Nothing that was mounted later covers it. */
function isOnTop({ at }: Mount, index: number, all: Mount[]): boolean {
  return !all.slice(index + 1).some((later) => at === later.at || at.startsWith(`${later.at}/`));
}

/** Without single devices, and without the file systems that the kernel makes up. */
function canBeWritten({ at, type, options }: Mount): boolean {
  const isDevice = /^\/dev\/(null|zero|full|random|urandom|tty|ptmx|console)$/.test(at);
  return options.includes("rw") && !isDevice && !["proc", "sysfs", "devpts"].includes(type);
}

/** What a sandbox must not reach: a file, a socket with a path, one without, and this process. */
class HostSide {
  readonly #folder: string;
  readonly #servers: Server[] = [];
  readonly #secret = `secret-${process.hrtime.bigint()}`;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<HostSide> {
    const host = new HostSide(await mkdtemp(join(tmpdir(), "isola-escape-")));
    await chmod(host.#folder, 0o755);
    await writeFile(host.#path, host.#secret);
    for (const path of [host.#socketPath, `\0${host.#abstract}`]) await host.#listen(path);
    await chmod(host.#socketPath, 0o777);
    return host;
  }

  async attempt(session: Session, group: string): Promise<Attempts> {
    const paths = { path: this.#path, socketPath: this.#socketPath, abstract: this.#abstract };
    const known = { secret: this.#secret, hostPid: process.pid, ...paths };
    return await soon(session.invoke<Attempts>({ op: "attempt", group, ...known }), group);
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    await rm(this.#folder, { recursive: true });
  }

  get #path(): string {
    return join(this.#folder, "secret");
  }

  get #socketPath(): string {
    return join(this.#folder, "socket");
  }

  get #abstract(): string {
    return `isola-escape-${process.pid}`;
  }

  async #listen(path: string): Promise<void> {
    const server = createServer((socket) => socket.destroy());
    this.#servers.push(server);
    server.listen(path);
    await once(server, "listening");
  }
}
