import { closeSync, ftruncateSync, openSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { MiB } from "../../../domain/limits.ts";
import { IsolaError, messageOf } from "../../../errors.ts";
import type { StreamEnds, StreamName } from "../../driver.ts";
import { FIRST_GIVEN_FD, closeGiven, launchVmm } from "../launch-vmm.ts";
import type { Machine, MachineSnapshot, MachineSpec, Vmm, VmmProbe, GuestFiles } from "../vmm.ts";
import { type QemuDescriptors, type QemuPlan, identityOf, qemuArgs } from "./command-line.ts";
import { type Containment, findContainment } from "./containment.ts";
import { findQemu, timeStampKhz } from "./find-qemu.ts";
import { MEMORY_FILE, QemuMachine, STATE_FILE } from "./qemu-machine.ts";
import { type KvmTrial, kvmAccess, tryKvm } from "./kvm.ts";
import { SealedMemories } from "./sealed-memories.ts";

export interface QemuOptions {
  /** `auto`: KVM where a guest boots with it, else emulation. */
  accelerator: "auto" | "kvm" | "emulation";
  /** A folder where what was found out about KVM is kept. */
  keptDir: string;
  /** Another program than the machine's; for tests. */
  program?: string;
  /** Leaves out a technique although the machine has it; for tests of the others. */
  without?: readonly string[];
}

interface Settled {
  plan: QemuPlan;
  containment: Containment;
}

/** Descriptors: of the memory and of the devices. */
interface Saved {
  memory: number;
  state: number;
}

/** MicroVMs by QEMU: with the processor's own virtualisation, or emulated. */
export class QemuVmm implements Vmm {
  readonly name = "qemu";
  readonly #options: QemuOptions;
  readonly #memories = new SealedMemories();
  #settled: Settled | null = null;

  constructor(options: QemuOptions) {
    this.#options = options;
  }

  async probe(guest: GuestFiles | null, signal: AbortSignal): Promise<VmmProbe> {
    const { qemu, problems, fixes } = await findQemu(this.#options.program);
    if (qemu === null) return unavailable({ versions: {}, problems, fixes });
    const versions = { qemu: qemu.version };
    const { accelerator, keptDir } = this.#options;
    const trial: KvmTrial =
      accelerator === "emulation"
        ? { works: false, problem: "emulation was asked for" }
        : await tryKvm({ qemu, guest, keptDir, run: this.#runner(), signal });
    if (accelerator === "kvm" && !trial.works) {
      const problem = `vmAccelerator is kvm, and KVM does not do: ${trial.problem}`;
      return unavailable({ versions, problems: [problem], fixes: ["vmAccelerator: auto"] });
    }
    const plan: QemuPlan = {
      qemu,
      accelerator: trial.works ? "kvm" : "emulation",
      timeStampKhz: timeStampKhz(),
    };
    const containment = await this.#contain(plan);
    this.#settled = { plan, containment };
    return {
      isAvailable: true,
      versions: { ...versions, accelerator: plan.accelerator },
      accelerator: plan.accelerator,
      identity: identityOf(plan, cpus()[0]?.model ?? ""),
      protections: protectionsOf(containment),
      problems: trial.works ? [] : [`emulated, about twenty times slower: ${trial.problem}`],
      fixes: containment.problem === null ? [] : ["apt-get install bubblewrap"],
    };
  }

  async boot(spec: MachineSpec, signal: AbortSignal): Promise<Machine> {
    return await this.#start(this.#settledOrFail(), spec, { saved: null, signal });
  }

  async restore(
    spec: MachineSpec,
    snapshot: MachineSnapshot,
    signal: AbortSignal,
  ): Promise<Machine> {
    const settled = this.#settledOrFail();
    const saved = await this.#open(spec, snapshot, signal);
    return await this.#start(settled, spec, { saved, signal });
  }

  #settledOrFail(): Settled {
    if (this.#settled !== null) return this.#settled;
    throw new IsolaError("driver_unavailable", "QEMU has not been found");
  }

  /** With another accelerator than the one that is settled. */
  #runner() {
    return async (plan: QemuPlan, spec: MachineSpec, signal: AbortSignal) =>
      await this.#start({ plan, containment: await this.#contain(plan) }, spec, {
        saved: null,
        signal,
      });
  }

  async #contain({ qemu, accelerator }: QemuPlan): Promise<Containment> {
    const device = accelerator === "kvm" ? "/dev/kvm" : null;
    const isLeftOut = this.#options.without?.includes("bubblewrap") === true;
    return await findContainment(qemu, { isLeftOut, device });
  }

  /** Closes the entries where it rejects. */
  async #open(
    { id, guest, entries }: MachineSpec,
    { folder }: MachineSnapshot,
    signal: AbortSignal,
  ): Promise<Saved> {
    try {
      const file = join(folder, MEMORY_FILE);
      const memory = await this.#memories.open(file, guest.sealer, signal);
      try {
        return { memory, state: openSync(join(folder, STATE_FILE), "r") };
      } catch (error) {
        closeSync(memory);
        throw error;
      }
    } catch (error) {
      closeGiven(entries);
      throw startFailure({ id }, messageOf(error), error);
    }
  }

  /** `saved`: what it goes on from; closed in any case. null: it boots. */
  async #start(
    { plan, containment }: Settled,
    spec: MachineSpec,
    { saved, signal }: { saved: Saved | null; signal: AbortSignal },
  ): Promise<Machine> {
    // What runs no code of a tenant needs no walls, and writes a file of the server's.
    const filter = spec.ends === null ? null : containment.filter;
    const { given, descriptors, state, filterAt } = await openGiven(spec, saved, filter !== null);
    if (signal.aborted) {
      closeGiven([...given, ...spec.entries]);
      throw startFailure(spec, "it was given up");
    }
    const args = qemuArgs(plan, spec.shape, { mark: spec.mark, descriptors });
    const prefix = spec.ends === null ? containment.plain : containment.prefix(filterAt);
    try {
      const child = launchVmm({
        command: [...prefix, plan.qemu.path, ...args],
        entries: spec.entries,
        user: userOf(spec, plan),
        given,
      });
      const machine = await QemuMachine.of(child, spec, descriptors.monitor !== null);
      if (filter !== null) (child.stdio.at(filterAt) as Duplex).end(filter);
      if (state !== null) await machine.goOn(state, signal);
      return machine;
    } catch (error) {
      throw startFailure(spec, messageOf(error), error);
    }
  }
}

interface Given {
  given: (Socket | number | "pipe")[];
  descriptors: QemuDescriptors;
  /** The program's descriptor of what it goes on from. */
  state: number | null;
  /** Where the filter of system calls is read; without one it means nothing. */
  filterAt: number;
}

/** Opens all that the program gets, or nothing: what cannot be had closes the others and the entries. */
async function openGiven(
  spec: MachineSpec,
  saved: Saved | null,
  hasFilter: boolean,
): Promise<Given> {
  const { id, ends, guest, entries, equipment } = spec;
  const given: (Socket | number | "pipe")[] = [];
  const add = (each: Socket | number | "pipe") => FIRST_GIVEN_FD - 1 + given.push(each);
  try {
    const agent = add("pipe");
    const monitor = ends === null || saved !== null ? add("pipe") : null;
    const state = saved === null ? null : add(saved.state);
    const own = saved === null ? null : { descriptor: add(saved.memory), isShared: false };
    const wanted = ends === null ? null : (equipment?.socket ?? null);
    const socket = wanted === null ? null : { at: wanted.at, channel: add("pipe") };
    const streams = ends === null ? null : await dialAll(id, ends, add);
    const file = (path: string) => add(openSync(path, "r"));
    const { kernel, initramfs, root } = guest;
    const files = { kernel: file(kernel), initramfs: file(initramfs), root: file(root) };
    const hasTools = equipment?.hasTools === true && guest.tools !== null;
    const tools = hasTools ? file(guest.tools as string) : null;
    const memory = ends === null ? { descriptor: add(memoryFile(spec)), isShared: true } : own;
    const filterAt = hasFilter ? add("pipe") : -1;
    const isRestored = saved !== null;
    const descriptors = {
      ...{ agent, streams, monitor, ...files, tools, socket, memory, isRestored },
    };
    return { given, descriptors, state, filterAt };
  } catch (error) {
    closeGiven([...given, ...entries]);
    throw startFailure({ id }, messageOf(error), error);
  }
}

/** Of a machine that is to be saved. */
function memoryFile({ folder, shape }: MachineSpec): number {
  const descriptor = openSync(join(folder, MEMORY_FILE), "wx+", 0o600);
  ftruncateSync(descriptor, shape.memoryMiB * MiB);
  return descriptor;
}

async function dialAll(
  id: string,
  ends: StreamEnds,
  add: (socket: Socket) => number,
): Promise<{ control: number; stdout: number; stderr: number }> {
  const dial = async (name: StreamName) => add(await ends.dial(id, name));
  return {
    control: await dial("control"),
    stdout: await dial("stdout"),
    stderr: await dial("stderr"),
  };
}

/** The accelerator's device belongs to a group. */
function userOf({ hostUser }: MachineSpec, { accelerator }: QemuPlan) {
  if (hostUser === null) return null;
  return { uid: hostUser, gid: accelerator === "kvm" ? kvmAccess().gid : hostUser };
}

function startFailure({ id }: { id: string }, why: string, cause?: unknown): IsolaError {
  const text = `the machine of ${id} could not be started: ${why}`;
  return new IsolaError("sandbox_start_failed", text, { cause });
}

function unavailable(found: Pick<VmmProbe, "versions" | "problems" | "fixes">): VmmProbe {
  return { isAvailable: false, accelerator: null, identity: "", protections: {}, ...found };
}

function protectionsOf({ problem }: Containment): VmmProbe["protections"] {
  const view =
    problem === null
      ? "namespaces with nothing but QEMU, its libraries and firmware; no network"
      : `no: ${problem}`;
  const calls = "QEMU's seccomp filter: no programs, no rights, no scheduling, no obsolete calls";
  const more = problem === null ? "; one of ours: no attributes of files, no io_uring" : "";
  return {
    "vmm-view": { isEnforced: problem === null, how: view },
    "vmm-syscalls": { isEnforced: true, how: calls + more },
  };
}
