import { openSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { Socket } from "node:net";
import { IsolaError, messageOf } from "../../../errors.ts";
import type { StreamEnds, StreamName } from "../../driver.ts";
import { FIRST_GIVEN_FD, closeGiven, launchVmm } from "../launch-vmm.ts";
import type { Machine, MachineSnapshot, MachineSpec, Vmm, VmmProbe, GuestFiles } from "../vmm.ts";
import { type QemuDescriptors, type QemuPlan, identityOf, qemuArgs } from "./command-line.ts";
import { type Containment, findContainment } from "./containment.ts";
import { findQemu, timeStampKhz } from "./find-qemu.ts";
import { QemuMachine, STATE_FILE } from "./qemu-machine.ts";
import { type KvmTrial, kvmAccess, tryKvm } from "./kvm.ts";

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

/** MicroVMs by QEMU: with the processor's own virtualisation, or emulated. */
export class QemuVmm implements Vmm {
  readonly name = "qemu";
  readonly #options: QemuOptions;
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
    return await this.#start(this.#settledOrFail(), spec, { state: null, signal });
  }

  async restore(
    spec: MachineSpec,
    snapshot: MachineSnapshot,
    signal: AbortSignal,
  ): Promise<Machine> {
    const state = join(snapshot.folder, STATE_FILE);
    return await this.#start(this.#settledOrFail(), spec, { state, signal });
  }

  #settledOrFail(): Settled {
    if (this.#settled !== null) return this.#settled;
    throw new IsolaError("driver_unavailable", "QEMU has not been found");
  }

  /** With another accelerator than the one that is settled. */
  #runner() {
    return async (plan: QemuPlan, spec: MachineSpec, signal: AbortSignal) =>
      await this.#start({ plan, containment: await this.#contain(plan) }, spec, {
        state: null,
        signal,
      });
  }

  async #contain({ qemu, accelerator }: QemuPlan): Promise<Containment> {
    const device = accelerator === "kvm" ? "/dev/kvm" : null;
    const isLeftOut = this.#options.without?.includes("bubblewrap") === true;
    return await findContainment(qemu, isLeftOut, device);
  }

  async #start(
    { plan, containment }: Settled,
    spec: MachineSpec,
    { state, signal }: { state: string | null; signal: AbortSignal },
  ): Promise<Machine> {
    const { given, descriptors } = await openGiven(spec, state);
    if (signal.aborted) {
      closeGiven([...given, ...spec.entries]);
      throw startFailure(spec, "it was given up");
    }
    const args = qemuArgs(plan, spec.shape, { mark: spec.mark, descriptors });
    // What runs no code of a tenant needs no walls, and writes a file of the server's.
    const prefix = spec.ends === null ? containment.plain : containment.prefix;
    try {
      const child = launchVmm({
        command: [...prefix, plan.qemu.path, ...args],
        entries: spec.entries,
        user: userOf(spec, plan),
        given,
      });
      return await QemuMachine.of(child, spec);
    } catch (error) {
      throw startFailure(spec, messageOf(error), error);
    }
  }
}

/** Opens all that the program gets, or nothing: what cannot be had closes the others and the entries. */
async function openGiven(
  { id, ends, guest, entries, equipment }: MachineSpec,
  state: string | null,
): Promise<{ given: (Socket | number | "pipe")[]; descriptors: QemuDescriptors }> {
  const given: (Socket | number | "pipe")[] = [];
  const add = (each: Socket | number | "pipe") => FIRST_GIVEN_FD - 1 + given.push(each);
  try {
    const agent = add("pipe");
    const wanted = ends === null ? null : (equipment?.socket ?? null);
    const socket = wanted === null ? null : { at: wanted.at, channel: add("pipe") };
    const streams = ends === null ? null : await dialAll(id, ends, add);
    const monitor = ends === null ? add("pipe") : null;
    const file = (path: string) => add(openSync(path, "r"));
    const { kernel, initramfs, root } = guest;
    const files = { kernel: file(kernel), initramfs: file(initramfs), root: file(root) };
    const hasTools = equipment?.hasTools === true && guest.tools !== null;
    const tools = hasTools ? file(guest.tools as string) : null;
    const from = state === null ? null : file(state);
    const descriptors = { agent, streams, monitor, ...files, tools, socket, state: from };
    return { given, descriptors };
  } catch (error) {
    closeGiven([...given, ...entries]);
    throw startFailure({ id }, messageOf(error), error);
  }
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
  return {
    "vmm-view": { isEnforced: problem === null, how: view },
    "vmm-syscalls": {
      isEnforced: true,
      how: "QEMU's seccomp filter: no programs, no rights, no scheduling, no obsolete calls",
    },
  };
}
