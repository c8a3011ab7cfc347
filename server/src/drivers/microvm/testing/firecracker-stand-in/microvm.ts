import type { Server } from "node:net";
import { copyFileSync, rmSync, statSync } from "node:fs";
import { Fault } from "./body.ts";
import { checkKernel, checkReadable, ioText } from "./host-files.ts";
import { type GuestPlan, QemuGuest } from "./qemu-guest.ts";
import { LOAD_FAULT, readSnapshot, writeSnapshot } from "./snapshot-file.ts";
import { VsockHost, listenForHost } from "./vsock-host.ts";

const VCPUS_MAX = 32;
const MiB = 1_048_576;
/** Names in the working folder that Firecracker has nothing under. */
const LIVE_MEMORY = ".memory";
const QEMU_STATE = ".state";

export interface MicrovmOptions {
  qemu: string;
  /** `1.17.0` */
  version: string;
  /** Of the format of its snapshots. */
  format: string;
  /** User that the jailer has given it; files must be his to read. null: no jail. */
  user: number | null;
  /** The machine is over, with the status that Firecracker ends with. */
  onOver(status: number): void;
  onConsole(part: Buffer): void;
}

type Body = Record<string, unknown>;

/**
 * A microVM as Firecracker's API has it, with a guest under QEMU.
 * Life: Not started -> Running <-> Paused, or Not started -> Paused by `load`; over when the guest has ended or a load has failed.
 */
export class Microvm {
  state: "Not started" | "Running" | "Paused" = "Not started";
  readonly #options: MicrovmOptions;
  /** After a call that shapes the machine, no snapshot can be loaded. */
  #isShaped = false;
  #kernel: { path: string; initramfs: string | null; bootArgs: string } | null = null;
  #shape = { memoryMiB: 128, vcpus: 1 };
  readonly #drives = new Map<string, string>();
  #vsock: { udsPath: string; server: Server } | null = null;
  #guest: QemuGuest | null = null;
  #host: VsockHost | null = null;
  /** Its memory is its own copy, which this stand-in cannot write out. */
  #isRestored = false;

  constructor(options: MicrovmOptions) {
    this.#options = options;
  }

  setBootSource({ kernel_image_path, initrd_path = null, boot_args = "" }: Body): void {
    this.#shaping();
    const [path, initramfs] = [kernel_image_path as string, initrd_path as string | null];
    this.#readable(path, "Boot source error: The kernel file cannot be opened:");
    const opened =
      "Boot source error: The initrd file cannot be opened due to invalid path or invalid permissions.";
    if (initramfs !== null) this.#readable(initramfs, opened);
    this.#kernel = { path, initramfs, bootArgs: boot_args as string };
  }

  setMachine({ vcpu_count, mem_size_mib }: Body): void {
    this.#shaping();
    const [vcpus, memoryMiB] = [vcpu_count as number, mem_size_mib as number];
    if (vcpus === 0 || vcpus > VCPUS_MAX)
      throw new Fault(
        `Machine config error: The number of vCPUs must be greater than 0, less than ${VCPUS_MAX} and must be 1 or an even number if SMT is enabled.`,
      );
    if (memoryMiB === 0)
      throw new Fault(
        "Machine config error: The memory size (MiB) is either 0, or not a multiple of the configured page size.",
      );
    this.#shape = { memoryMiB, vcpus };
  }

  setDrive(id: string, { drive_id, path_on_host, is_root_device, is_read_only }: Body): void {
    if (!/^[A-Za-z0-9_]+$/.test(id))
      throw new Fault("API Resource IDs can only contain alphanumeric characters and underscores.");
    if (drive_id !== id)
      throw new Fault("The id from the path does not match the id from the body!");
    if (this.state !== "Not started") throw new Fault("PCI is not enabled");
    this.#shaping();
    const path = path_on_host as string;
    this.#readable(
      path,
      "Drive config error: Unable to create the virtio block device: Virtio backend error: Error manipulating the backing file:",
      ` ${path}`,
    );
    if (is_read_only !== true || is_root_device !== false)
      throw new Fault("the stand-in has read-only drives that are no root devices");
    this.#drives.set(id, path);
  }

  async setVsock({ uds_path }: Body): Promise<void> {
    this.#shaping();
    await this.#listen(uds_path as string, (why) => {
      const how = "Vsock config error: Cannot create backend for vsock device:";
      return `${how} Error binding to the host-side Unix socket: ${why}`;
    });
  }

  setEntropy(): void {
    this.#shaping();
  }

  /** No part of what a snapshot is loaded into. */
  setSerial({ serial_out_path }: Body): void {
    this.#beforeStart();
    if (serial_out_path !== undefined) throw new Fault("the stand-in's console is its output");
  }

  async act({ action_type }: Body): Promise<void> {
    if (action_type !== "InstanceStart") throw new Fault("the stand-in knows InstanceStart alone");
    this.#beforeStart();
    if (this.#kernel === null)
      throw new Fault("Start microvm error: Cannot start microvm without kernel configuration.");
    const { path, initramfs, bootArgs } = this.#kernel;
    checkKernel(path, this.#options.version);
    await this.#run({ kernel: path, initramfs, bootArgs, memory: LIVE_MEMORY, state: null }, null);
    this.state = "Running";
  }

  async setState({ state }: Body): Promise<void> {
    this.#afterStart();
    const isPaused = state === "Paused";
    await (isPaused ? this.#guest?.pause() : this.#guest?.resume());
    this.state = isPaused ? "Paused" : "Running";
  }

  async save({ snapshot_type = "Full", snapshot_path, mem_file_path }: Body): Promise<void> {
    this.#afterStart();
    if (this.state !== "Paused")
      throw new Fault(
        "Create snapshot error: Cannot save the microVM state: Operation not allowed: save/restore unavailable while running",
      );
    if (snapshot_type !== "Full" || this.#isRestored)
      throw new Fault("the stand-in takes full snapshots of machines that have booted");
    await this.#guest?.save(QEMU_STATE);
    copyFileSync(LIVE_MEMORY, mem_file_path as string);
    const machine = {
      ...{ format: this.#options.format, ...this.#shape, bootArgs: this.#kernel?.bootArgs ?? "" },
      ...{ drives: [...this.#drives.values()], udsPath: this.#vsock?.udsPath ?? null },
      greeting: this.#host?.greeting ?? "",
    };
    writeSnapshot(snapshot_path as string, machine, QEMU_STATE);
    rmSync(QEMU_STATE);
  }

  /** What fails after it began ends the process. */
  async load(body: Body): Promise<void> {
    this.#beforeStart();
    if (this.#isShaped)
      throw new Fault(
        "Load snapshot error: Loading a microVM snapshot not allowed after configuring boot-specific resources.",
      );
    try {
      await this.#load(body);
    } catch (error) {
      process.stderr.write("Error: RunWithApi(BuildMicroVmError(Restore))\n");
      // After the answer.
      setTimeout(() => this.#options.onOver(1), 0);
      throw error;
    }
  }

  async #load({
    snapshot_path,
    mem_backend,
    vsock_override,
    resume_vm = false,
  }: Body): Promise<void> {
    const from = snapshot_path as string;
    const opening = `${LOAD_FAULT} Failed to get snapshot state from file: Failed to open snapshot file:`;
    this.#readable(from, opening);
    const saved = readSnapshot(from, this.#options.format, QEMU_STATE);
    const memory = (mem_backend as { backend_path: string }).backend_path;
    const mapping = `${LOAD_FAULT} Failed to load guest memory: Error creating guest memory from file:`;
    this.#readable(memory, `${mapping} Failed to load guest memory:`);
    if (statSync(memory).size < saved.memoryMiB * MiB)
      throw new Fault(
        `${mapping} Failed to restore guest memory: Total sum of memory regions exceeds largest possible file offset`,
      );
    const devices = `${LOAD_FAULT} Failed to build microVM from snapshot: Failed to restore devices: Error restoring MMIO devices:`;
    for (const [at, path] of saved.drives.entries()) {
      const block = `${devices} Block: Virtio backend error: Error manipulating the backing file:`;
      this.#readable(path, block, ` ${path}`);
      this.#drives.set(`d${at}`, path);
    }
    const override = vsock_override as { uds_path: string } | undefined;
    const udsPath = override?.uds_path ?? saved.udsPath;
    const binding = `${devices} VsockUnixBackend: Error binding to the host-side Unix socket:`;
    if (udsPath !== null) await this.#listen(udsPath, (why) => `${binding} ${why}`);
    this.#shape = saved;
    this.#isRestored = true;
    const { bootArgs, greeting } = saved;
    const plan = { kernel: null, initramfs: null, bootArgs, memory, state: QEMU_STATE };
    await this.#run(plan, greeting);
    rmSync(QEMU_STATE);
    this.state = "Paused";
    if (resume_vm === true) await this.setState({ state: "Resumed" });
  }

  async #run(
    plan: Pick<GuestPlan, "kernel" | "initramfs" | "bootArgs" | "memory" | "state">,
    greeting: string | null,
  ): Promise<void> {
    const drives = [...this.#drives.values()];
    const { qemu, onConsole, onOver } = this.#options;
    const guest = await QemuGuest.start({ ...plan, ...this.#shape, qemu, drives });
    this.#guest = guest;
    const udsPath = this.#vsock?.udsPath ?? null;
    const hasSocket = plan.bootArgs.includes(" isola.socket=");
    const host =
      udsPath === null ? null : new VsockHost({ udsPath, hasSocket }, guest.ports, greeting);
    this.#host = host;
    guest.console.on("data", onConsole);
    void guest.exited.then(async ({ text }) => {
      if (text !== "") process.stderr.write(text);
      await host?.over();
      onOver(0);
    });
  }

  async #listen(udsPath: string, fault: (why: string) => string): Promise<void> {
    if (this.#vsock !== null) throw new Fault("the stand-in sets its vsock once");
    try {
      this.#vsock = { udsPath, server: await listenForHost(udsPath) };
    } catch (error) {
      throw new Fault(fault(ioText(error)));
    }
  }

  #readable(path: string, fault: string, more = ""): void {
    const why = checkReadable(path, this.#options.user);
    if (why !== null) throw new Fault(`${fault} ${why}${more}`);
  }

  #shaping(): void {
    this.#beforeStart();
    this.#isShaped = true;
  }

  #beforeStart(): void {
    if (this.state !== "Not started")
      throw new Fault("The requested operation is not supported after starting the microVM.");
  }

  #afterStart(): void {
    if (this.state === "Not started")
      throw new Fault("The requested operation is not supported before starting the microVM.");
  }
}
