import type { Duplex } from "node:stream";
import type { StreamEnds } from "../driver.ts";
import type { Snapshot } from "../snapshots.ts";

/** Paths of what a guest is made of (images/microvm/README.md). Named for their content, never written to. */
export interface GuestFiles {
  kernel: string;
  initramfs: string;
  /** Root image of the runtime. */
  root: string;
  /** Image of builds; null: none. */
  tools: string | null;
  /** Program of the host (images/microvm/host/seal-memory.c). */
  sealer: string;
  /** Of all of the above: 64 hexadecimal digits. A snapshot holds for one digest only. */
  digest: string;
}

/** What a machine is, whatever runs in it. A snapshot holds for the same shape only. */
export type MachineShape = Readonly<{
  memoryMiB: number;
  vcpus: number;
}>;

export interface MachineSpec {
  /** The sandbox's. */
  id: string;
  shape: MachineShape;
  guest: GuestFiles;
  /** A folder of this machine's own, empty, that the server's user alone may enter; removed by whoever made it after the machine is gone. */
  folder: string;
  /** Files of control groups, open for writing, at most 6: the VMM's process enters them before it does anything else. `boot` and `restore` close them. */
  entries: readonly number[];
  /** User the VMM runs as; null: the server's own. */
  hostUser: number | null;
  /** The VMM's name in lists of processes has it: a sweep finds what was left by it. */
  mark: string;
  /** null: no streams but the agent's, and `snapshot` is to be called: a machine in which no code of a tenant ever runs. */
  ends: StreamEnds | null;
  /** Left out: none. A machine that has any boots, and is never restored. */
  equipment?: MachineEquipment;
}

/** Of builds. */
export interface MachineEquipment {
  /** The tools image is the second drive. */
  hasTools: boolean;
  socket: MachineSocket | null;
}

/** A socket inside, whose connections come as frames on one channel. */
export interface MachineSocket {
  /** Path inside. */
  at: string;
  /** Called once, with the host's end of the channel. */
  onChannel(channel: Duplex): void;
}

/** Of a machine. Those that were restored from it may still read its files. */
export type MachineSnapshot = Snapshot;

/** One running VMM process with one guest in it. */
export interface Machine {
  readonly pid: number;
  /** The agent channel, connected: nothing has been read from it. With vsock it may be another one after a restore. */
  readonly agent: Duplex;
  /** Resolves once, when the VMM's process has ended; `text`: its last words on stderr, bounded. */
  readonly exited: Promise<{ exitCode: number | null; signal: string | null; text: string }>;
  /** Last bytes of the guest's console, bounded; for error messages. */
  console(): string;
  /**
   * Stops the guest, writes what `restore` needs into `folder`, and leaves the machine stopped: it is to be killed then. Rejects with `sandbox_start_failed`; what
   * was written is the caller's to remove.
   */
  snapshot(folder: string): Promise<MachineSnapshot>;
  /** SIGKILL to the VMM; idempotent. Whether it is gone is seen by `exited` and the control group. */
  kill(): void;
}

/** What one VMM can do on this machine. */
export interface VmmProbe {
  isAvailable: boolean;
  /** `{ qemu: "7.2.22", accelerator: "tcg" }` */
  versions: Record<string, string>;
  /** `kvm`: the processor's own virtualisation, a guest was seen to boot with it. `emulation`: all in software, about twenty times slower. */
  accelerator: "kvm" | "emulation" | null;
  /** Its version and all that it is started with beside guest and shape: a snapshot holds for the same identity only. */
  identity: string;
  /** What it does beside the common protections, or how it does them, by the protection's name. */
  protections: Readonly<Record<string, { isEnforced: boolean; how: string }>>;
  problems: string[];
  fixes: string[];
}

/** Starts virtual machines with one program. Every wait in it has a deadline; what fails leaves no process. */
export interface Vmm {
  readonly name: "qemu" | "firecracker";
  /** Boots `guest`, where that is the only way to know. */
  probe(guest: GuestFiles | null, signal: AbortSignal): Promise<VmmProbe>;
  /** Resolves when the agent channel is connected. Rejects with `sandbox_start_failed`. */
  boot(spec: MachineSpec, signal: AbortSignal): Promise<Machine>;
  /** The same for a machine that goes on where a snapshot of the same guest, shape and identity was taken. What is said on `agent` reaches init once it goes on. */
  restore(spec: MachineSpec, snapshot: MachineSnapshot, signal: AbortSignal): Promise<Machine>;
}
