import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex, Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { findProgram } from "../../../find-program.ts";
import { timeStampKhz } from "../../qemu/find-qemu.ts";
import { Qmp } from "../../qemu/qmp.ts";

const MIGRATE_MS_MAX = 60_000;
const portNames = ["agent", "control", "stdout", "stderr", "socket"] as const;
const FIRST_FD = 3;

export interface GuestPlan {
  qemu: string;
  memoryMiB: number;
  vcpus: number;
  /** null: of a guest that goes on. */
  kernel: string | null;
  initramfs: string | null;
  bootArgs: string;
  drives: string[];
  /** File that is the guest's memory. */
  memory: string;
  /** Where it goes on from; null: it boots, with its memory in the file. */
  state: string | null;
}

export type GuestPorts = Record<(typeof portNames)[number], Duplex>;

/** The guest of the stand-in: QEMU without the processor's help. It dies with its parent. */
export class QemuGuest {
  readonly ports: GuestPorts;
  readonly console: Readable;
  readonly exited: Promise<{ text: string }>;
  readonly #monitor: Qmp;

  private constructor(child: ChildProcess) {
    const stream = (at: number) => child.stdio[at] as Duplex;
    const ports = portNames.map((name, at) => [name, stream(FIRST_FD + at)]);
    this.ports = Object.fromEntries(ports) as GuestPorts;
    for (const port of Object.values(this.ports)) port.on("error", () => {}); // QEMU has ended
    this.console = child.stdout as Readable;
    this.#monitor = new Qmp(stream(FIRST_FD + portNames.length));
    let words = "";
    child.stderr?.on("data", (part: Buffer) => {
      words = (words + part.toString("latin1")).slice(-2000);
    });
    this.exited = once(child, "close").then(() => ({ text: words }));
  }

  /** Resolves when QEMU is there and the guest runs; rejects where either cannot be. */
  static async start(plan: GuestPlan): Promise<QemuGuest> {
    const setpriv = findProgram("setpriv");
    if (setpriv === null) throw new Error("the stand-in needs setpriv, of util-linux");
    const child = spawn(setpriv, ["--pdeathsig", "KILL", "--", plan.qemu, ...qemuArgs(plan)], {
      stdio: ["ignore", "pipe", "pipe", ...portNames.map(() => "pipe" as const), "pipe"],
    });
    await once(child, "spawn");
    const guest = new QemuGuest(child);
    const ended = guest.exited.then(({ text }): never => {
      throw new Error(`QEMU has ended: ${text}`);
    });
    await Promise.race([guest.#begin(plan.state), ended]);
    return guest;
  }

  async pause(): Promise<void> {
    await this.#monitor.execute("stop");
  }

  async resume(): Promise<void> {
    await this.#monitor.execute("cont");
  }

  /** Writes everything but the memory, which is in its file. */
  async save(path: string): Promise<void> {
    await this.#ignoreShared();
    await this.#monitor.execute("migrate", { uri: `exec:cat > ${quoted(path)}` });
    await this.#migrated();
  }

  async #begin(state: string | null): Promise<void> {
    await this.#monitor.open();
    if (state === null) return await this.resume();
    await this.#ignoreShared();
    await this.#monitor.execute("migrate-incoming", { uri: `exec:cat < ${quoted(state)}` });
    await this.#migrated();
  }

  async #ignoreShared(): Promise<void> {
    const capabilities = [{ capability: "x-ignore-shared", state: true }];
    await this.#monitor.execute("migrate-set-capabilities", { capabilities });
  }

  async #migrated(): Promise<void> {
    for (const deadline = performance.now() + MIGRATE_MS_MAX; ; ) {
      const { status } = await this.#monitor.execute<{ status: string }>("query-migrate");
      if (status === "completed") return;
      if (status === "failed" || performance.now() > deadline)
        throw new Error(`migration ${status}`);
      await delay(2);
    }
  }
}

function qemuArgs(plan: GuestPlan): string[] {
  const { memoryMiB, state } = plan;
  // What goes on from a snapshot has a copy of its own of what it writes to.
  const share = state === null ? "on" : "off";
  return [
    ...["-M", "microvm,acpi=on,memory-backend=memory", "-accel", "tcg,tb-size=64", "-cpu", "max"],
    ...["-m", String(memoryMiB), "-smp", String(plan.vcpus), "-S"],
    ...[
      "-object",
      `memory-backend-file,id=memory,size=${memoryMiB}M,mem-path=${plan.memory},share=${share}`,
    ],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...kernelArgs(plan),
    ...["-chardev", "socket,id=console,fd=1", "-serial", "chardev:console"],
    ...plan.drives.flatMap(driveArgs),
    ...["-device", "virtio-serial-device,max_ports=8"],
    ...portNames.flatMap((name, at) => portArgs(name, at)),
    ...["-chardev", `socket,id=monitor,fd=${FIRST_FD + portNames.length}`],
    ...["-mon", "chardev=monitor,mode=control"],
    ...(state === null ? [] : ["-incoming", "defer"]),
  ];
}

function kernelArgs({ kernel, initramfs, bootArgs }: GuestPlan): string[] {
  if (kernel === null) return [];
  const initrd = initramfs === null ? [] : ["-initrd", initramfs];
  return ["-kernel", kernel, ...initrd, "-append", emulatedArgs(bootArgs)];
}

function driveArgs(file: string, at: number): string[] {
  const drive = `if=none,id=d${at},file=${file},format=raw,readonly=on,file.locking=off`;
  return ["-drive", drive, "-device", `virtio-blk-device,drive=d${at}`];
}

function portArgs(name: string, at: number): string[] {
  const port = `virtserialport,nr=${at + 1},chardev=${name},name=isola.${name}`;
  return ["-chardev", `socket,id=${name},fd=${FIRST_FD + at}`, "-device", port];
}

/** The machine of this QEMU ends otherwise, has no clock to measure by, and no vsock. */
function emulatedArgs(bootArgs: string): string {
  const khz = timeStampKhz();
  const clock = khz === null ? "" : ` tsc_early_khz=${khz} no_timer_check tsc=reliable`;
  const changed = bootArgs
    .replace("reboot=k", "reboot=t")
    .replace("isola.transport=vsock", "isola.transport=serial");
  return `${changed} mitigations=off cryptomgr.notests${clock}`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
