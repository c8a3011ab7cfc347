import type { GuestFiles, Machine, MachineSnapshot, MachineSpec, Vmm, VmmProbe } from "../vmm.ts";
import {
  type FirecrackerPaths,
  type FirecrackerPrograms,
  type Missing,
  findFirecracker,
} from "./find-firecracker.ts";
import { available, unavailable, versionsOf } from "./firecracker-probe.ts";
import { kvmProblem } from "./kvm-device.ts";
import { type StartContext, startMachine } from "./start-machine.ts";
import { tryGuest } from "./try-guest.ts";

export interface FirecrackerOptions extends FirecrackerPaths {
  /** A folder of this VMM's own: kernels are kept in it, and the guest that is tried has its folder there. */
  stateDir: string;
  /** Of the guest that is tried: a sweep finds by it what was left. */
  trialMark: string;
  /** `/dev/kvm`; null: the program needs none, as it only plays Firecracker. */
  kvm: string | null;
  /** Whether the server may run a program as another user, in a root of its own. */
  isRoot: boolean;
}

/** MicroVMs by Firecracker, with its jailer where the server is root. What it is told, and why, is in `boot-calls.ts`. */
export class FirecrackerVmm implements Vmm {
  readonly name = "firecracker";
  readonly #options: FirecrackerOptions;
  #programs: FirecrackerPrograms | null = null;
  /** What came of trying a guest, by what was tried. */
  readonly #trials = new Map<string, string | null>();

  constructor(options: FirecrackerOptions) {
    this.#options = options;
  }

  /** Without a guest to try, what there is counts as available, and says that it was not tried. */
  async probe(guest: GuestFiles | null, signal: AbortSignal): Promise<VmmProbe> {
    const { kvm, isRoot } = this.#options;
    const found = await findFirecracker(this.#options, isRoot);
    if ("problem" in found) return unavailable({}, found);
    const trouble = kvm === null ? null : kvmProblem(kvm);
    if (trouble !== null) return unavailable(versionsOf(found), trouble);
    const problem = guest === null ? null : await this.#try(found, guest, signal);
    if (problem !== null) return unavailable(versionsOf(found), noGuestBoots(problem));
    this.#programs = found;
    const accelerator = kvm === null ? "emulation" : "kvm";
    return available(found, { accelerator, isTried: guest !== null });
  }

  async boot(spec: MachineSpec, signal: AbortSignal): Promise<Machine> {
    return await startMachine(this.#context(this.#programs), spec, null, signal);
  }

  async restore(
    spec: MachineSpec,
    snapshot: MachineSnapshot,
    signal: AbortSignal,
  ): Promise<Machine> {
    return await startMachine(this.#context(this.#programs), spec, snapshot, signal);
  }

  /** Once for each program and guest. null: it boots; a text: why not. */
  async #try(
    programs: FirecrackerPrograms,
    guest: GuestFiles,
    signal: AbortSignal,
  ): Promise<string | null> {
    const subject = [programs.executable, programs.version.text, guest.digest].join("\n");
    const known = this.#trials.get(subject);
    if (known !== undefined) return known;
    const boot = (spec: MachineSpec, enough: AbortSignal) =>
      startMachine(this.#context(programs), spec, null, enough);
    const problem = await tryGuest(guest, this.#options, { boot, signal });
    // Not kept where it was given up: it is asked for again.
    if (!signal.aborted) this.#trials.set(subject, problem);
    return problem;
  }

  #context(programs: FirecrackerPrograms | null): StartContext {
    return { programs, stateDir: this.#options.stateDir };
  }
}

function noGuestBoots(problem: string): Missing {
  return {
    problem: `no guest boots under Firecracker here: ${problem}`,
    fix: "run the server where the processor's virtualisation works: on bare metal, or in a virtual machine whose host allows it",
  };
}
