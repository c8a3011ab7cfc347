import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { type Server, type Socket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GuestPaths } from "./guest-images.ts";

const QEMU = "qemu-system-x86_64";
const ports = ["control", "stdout", "stderr", "agent", "socket"] as const;
/** Where everything is emulated on a busy machine. */
const WORD_MS = 120_000;
const CONSOLE_BYTES_MAX = 65_536;

type Port = (typeof ports)[number];

/** A guest under QEMU without hardware help, and the host's end of its channels. */
export class TestGuest {
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #streams: Record<Port, Socket>;
  #console = "";
  #agentText = "";
  /** Lines of the agent that nobody has taken. */
  readonly #lines: string[] = [];
  #onLine: () => void = () => {};
  #asked = 0;

  private constructor(folder: string, child: ChildProcess, streams: Record<Port, Socket>) {
    this.#folder = folder;
    this.#child = child;
    this.#streams = streams;
    streams.agent.on("data", (bytes) => this.#onAgent(String(bytes)));
    child.stdout?.on("data", (bytes) => {
      this.#console = (this.#console + String(bytes)).slice(-CONSOLE_BYTES_MAX);
    });
    child.stderr?.on("data", (bytes) => {
      this.#console = (this.#console + String(bytes)).slice(-CONSOLE_BYTES_MAX);
    });
  }

  static async boot(
    paths: GuestPaths,
    { memoryMiB = 256, hasTools = false, socketAt = "" } = {},
  ): Promise<TestGuest> {
    const folder = await mkdtemp(join(tmpdir(), "isola-guest-"));
    const servers = new Map<Port, Server>();
    const connected = ports.map(async (port) => {
      const server = createServer();
      servers.set(port, server);
      server.listen(join(folder, port));
      const [socket] = (await once(server, "connection")) as [Socket];
      server.close();
      return [port, socket] as const;
    });
    const child = spawn(QEMU, argumentsOf(paths, folder, { memoryMiB, hasTools, socketAt }), {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const failed = once(child, "exit").then(() => Promise.reject(new Error("QEMU has ended")));
    failed.catch(() => {}); // it ends in the end
    const streams = Object.fromEntries(await Promise.race([Promise.all(connected), failed]));
    return new TestGuest(folder, child, streams as Record<Port, Socket>);
  }

  stream(port: Exclude<Port, "agent">): Socket {
    return this.#streams[port];
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get console(): string {
    return this.#console;
  }

  send(text: string): void {
    this.#streams.agent.write(text);
  }

  /** The answer to a question, without its number. */
  async ask(question: string): Promise<string> {
    const number = ++this.#asked;
    this.send(`${number} ${question}\n`);
    return (await this.line((line) => line.startsWith(`${number} `))).slice(`${number} `.length);
  }

  async start({
    memoryMiB = 160,
    pids = 64,
    tmpMiB = 64,
    atMs = Date.now(),
  } = {}): Promise<string> {
    const seed = randomBytes(128).toString("hex");
    const MiB = 1_048_576;
    return await this.ask(
      `start ${BigInt(atMs) * 1_000_000n} ${seed} ${memoryMiB * MiB} ${pids} ${tmpMiB * MiB}`,
    );
  }

  /** The first line that is wanted and was not taken before. */
  async line(isWanted: (line: string) => boolean): Promise<string> {
    const signal = AbortSignal.timeout(WORD_MS);
    for (;;) {
      const at = this.#lines.findIndex(isWanted);
      if (at >= 0) return this.#lines.splice(at, 1)[0] as string;
      await new Promise<void>((resolve, reject) => {
        this.#onLine = resolve;
        signal.addEventListener(
          "abort",
          () =>
            reject(
              new Error(
                `the guest said ${JSON.stringify(this.#lines)}, and on its console ${this.#console}`,
              ),
            ),
          { once: true },
        );
      });
    }
  }

  /** Resolves when the machine has ended by itself. */
  async ended(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await once(this.#child, "exit", { signal: AbortSignal.timeout(WORD_MS) });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
    for (const stream of Object.values(this.#streams)) stream.destroy();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #onAgent(text: string): void {
    const lines = (this.#agentText + text).split("\n");
    this.#agentText = lines.pop() as string;
    this.#lines.push(...lines);
    this.#onLine();
  }
}

function argumentsOf(
  paths: GuestPaths,
  folder: string,
  { memoryMiB, hasTools, socketAt }: { memoryMiB: number; hasTools: boolean; socketAt: string },
): string[] {
  const megahertz = Number(
    /^cpu MHz\s*:\s*([\d.]+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1],
  );
  const drive = (path: string, id: string) => [
    "-drive",
    `if=none,id=${id},file=${path},format=raw,readonly=on`,
    "-device",
    `virtio-blk-device,drive=${id}`,
  ];
  const port = (name: Port) => [
    "-chardev",
    `socket,id=${name},path=${join(folder, name)}`,
    "-device",
    `virtserialport,chardev=${name},name=isola.${name}`,
  ];
  const words = [
    ...["console=ttyS0", "quiet", "panic=-1", "reboot=t", "no_timer_check", "tsc=reliable"],
    ...[`tsc_early_khz=${Math.round(megahertz * 1000)}`, "isola.transport=serial"],
    ...(hasTools ? ["isola.tools=1"] : []),
    ...(socketAt === "" ? [] : [`isola.socket=${socketAt}`]),
  ];
  return [
    ...[
      "-M",
      "microvm,acpi=on",
      "-accel",
      "tcg",
      "-cpu",
      "max",
      "-m",
      String(memoryMiB),
      "-nodefaults",
      "-no-user-config",
    ],
    ...[
      "-display",
      "none",
      "-no-reboot",
      "-serial",
      "stdio",
      "-kernel",
      paths.kernel,
      "-initrd",
      paths.initramfs,
    ],
    ...["-append", words.join(" "), ...drive(paths.root, "root")],
    ...(hasTools && paths.tools !== null ? drive(paths.tools, "tools") : []),
    ...["-device", "virtio-serial-device", ...ports.flatMap(port)],
  ];
}
