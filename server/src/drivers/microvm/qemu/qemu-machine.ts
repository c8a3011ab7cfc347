import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, createWriteStream, openSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { type Socket, createServer } from "node:net";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { IsolaError, messageOf } from "../../../errors.ts";
import { within } from "../deadline.ts";
import { FIRST_GIVEN_FD } from "../launch-vmm.ts";
import { copySparse } from "./copy-sparse.ts";
import type { Machine, MachineSnapshot, MachineSpec } from "../vmm.ts";
import { Qmp } from "./qmp.ts";

/** Of a snapshot: devices, and memory, which a machine that is saved has in a file of that name in its own folder. */
export const STATE_FILE = "state";
export const MEMORY_FILE = "memory";
/** Memory is no part of the stream. */
const apart = { capabilities: [{ capability: "x-ignore-shared", state: true }] };
const TEXT_CHARS_MAX = 4096;
const SAVE_MS_MAX = 60_000;
const SAVE_STEP_MS = 10;
const GO_ON_MS_MAX = 20_000;
const BYTES_A_SECOND_MAX = 2 ** 40;

/** One QEMU process: running -> ended. */
export class QemuMachine implements Machine {
  readonly agent: Duplex;
  readonly exited: Machine["exited"];
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #qmp: Qmp | null;
  #console = "";

  private constructor(child: ChildProcess, spec: MachineSpec, hasMonitor: boolean) {
    this.#child = child;
    this.#folder = spec.folder;
    const streams: readonly unknown[] = child.stdio;
    this.agent = streams[FIRST_GIVEN_FD] as Duplex;
    const next = streams[FIRST_GIVEN_FD + 1] as Duplex;
    this.#qmp = hasMonitor ? new Qmp(next) : null;
    if (!hasMonitor) spec.equipment?.socket?.onChannel(next);
    let words = "";
    (child.stdout as Readable).on("data", (chunk: Buffer) => {
      this.#console = (this.#console + chunk.toString("latin1")).slice(-TEXT_CHARS_MAX);
    });
    (child.stderr as Readable).on("data", (chunk: Buffer) => {
      words = (words + chunk.toString("latin1")).slice(-TEXT_CHARS_MAX);
    });
    for (const stream of child.stdio)
      stream?.on("error", () => {
        // The end of the process says more.
      });
    this.exited = new Promise((resolve) => {
      // With everything it has written.
      child.once("close", (exitCode, signal) => resolve({ exitCode, signal, text: words.trim() }));
    });
  }

  /** `hasMonitor`: the channel behind the agent's is one. Rejects when there is no such process. */
  static async of(
    child: ChildProcess,
    spec: MachineSpec,
    hasMonitor: boolean,
  ): Promise<QemuMachine> {
    if (child.pid !== undefined) return new QemuMachine(child, spec, hasMonitor);
    const [error] = await once(child, "error");
    throw error;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  console(): string {
    return this.#console;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Has it go on from the state at a descriptor of its own; after that nobody tells it anything by its monitor. Rejects when it does not, and then it has ended. */
  async goOn(state: number, signal: AbortSignal): Promise<void> {
    const kill = () => this.kill();
    signal.addEventListener("abort", kill, { once: true });
    try {
      const qmp = this.#monitor();
      await this.#unlessItEnds(GO_ON_MS_MAX, "a machine that goes on", async () => {
        await qmp.open();
        await qmp.execute("migrate-set-capabilities", apart);
        await qmp.execute("migrate-incoming", { uri: `fd:${state}` });
      });
      qmp.close();
    } catch (error) {
      this.kill();
      const { text } = await this.exited;
      throw text === "" ? error : new Error(`QEMU has ended: ${text}`, { cause: error });
    } finally {
      signal.removeEventListener("abort", kill);
    }
  }

  async snapshot(folder: string): Promise<MachineSnapshot> {
    try {
      await this.#unlessItEnds(SAVE_MS_MAX, "the snapshot", () => this.#save(folder));
      return { folder, files: [STATE_FILE, MEMORY_FILE] };
    } catch (error) {
      const text = `no snapshot could be taken: ${messageOf(error)}`;
      throw new IsolaError("sandbox_start_failed", text, { cause: error });
    }
  }

  async #unlessItEnds(msMax: number, what: string, work: () => Promise<void>): Promise<void> {
    const ended = this.exited.then(({ text }) => {
      throw new Error(`QEMU has ended: ${text}`);
    });
    ended.catch(() => {}); // it is killed in the end
    await within(msMax, what, Promise.race([work(), ended]));
  }

  #monitor(): Qmp {
    if (this.#qmp === null) throw new Error("the machine was not started for that");
    return this.#qmp;
  }

  async #save(folder: string): Promise<void> {
    const qmp = this.#monitor();
    await qmp.open();
    await qmp.execute("migrate-set-capabilities", apart);
    // Not stopped before: what was running when it was saved runs on its own when it is restored, and needs no monitor for that.
    await qmp.execute("migrate-set-parameters", { "max-bandwidth": BYTES_A_SECOND_MAX });
    const file = join(folder, STATE_FILE);
    const inlet = await openInlet(folder);
    try {
      const arriving = inlet.first.then((socket) => pipeline(socket, createWriteStream(file)));
      arriving.catch(() => {}); // awaited below, unless QEMU says sooner what is wrong
      await qmp.execute("migrate", { uri: `unix:${inlet.path}` });
      await untilSaved(qmp);
      await arriving;
    } finally {
      inlet.close();
    }
    await copySparse(join(this.#folder, MEMORY_FILE), join(folder, MEMORY_FILE));
    // Readable by the users that machines run as; the folder above keeps others out.
    await chmod(file, 0o444);
  }
}

async function untilSaved(qmp: Qmp): Promise<void> {
  for (;;) {
    const { status, "error-desc": why } =
      await qmp.execute<Record<string, string>>("query-migrate");
    if (status === "completed") return;
    if (status === "failed" || status === "cancelled") throw new Error(why ?? status);
    await delay(SAVE_STEP_MS);
  }
}

/** A unix socket in the folder for one connection. Paths of sockets are short, so the folder is named by a descriptor of this process. */
async function openInlet(folder: string) {
  const descriptor = openSync(folder, "r");
  const path = `/proc/${process.pid}/fd/${descriptor}/inlet`;
  const server = createServer();
  const first = once(server, "connection").then(([socket]) => socket as Socket);
  first.catch(() => {}); // it never came
  const close = () => {
    server.close();
    rmSync(join(folder, "inlet"), { force: true });
    closeSync(descriptor);
  };
  try {
    server.listen(path);
    await once(server, "listening");
    return { path, first, close };
  } catch (error) {
    close();
    throw error;
  }
}
