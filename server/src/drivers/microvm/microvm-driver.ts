import { join } from "node:path";
import { MiB, fixedLimits, settingLimits } from "../../domain/limits.ts";
import { IsolaError, messageOf } from "../../errors.ts";
import { findCgroups } from "../cgroups/find-cgroups.ts";
import { type SandboxMarks, sandboxMarks } from "../cgroups/sandbox-mark.ts";
import type {
  DriverCore,
  DriverProbe,
  SandboxHandle,
  SandboxSpec,
  StreamEnds,
  SweepReport,
} from "../driver.ts";
import { HostUsers } from "../host-users.ts";
import { sweepEarlierLives } from "../children/sweep.ts";
import { Snapshots, type WantedSnapshot } from "../snapshots.ts";
import type { AgentEvents } from "./agent.ts";
import { untilAborted, within } from "./deadline.ts";
import type { GuestSource } from "./guests.ts";
import { shapeFor } from "./machine-shape.ts";
import { MicrovmSandbox } from "./microvm-sandbox.ts";
import { type MicrovmMachine, examine, probeOf } from "./probe.ts";

import {
  type MachineRequest,
  type UpMachine,
  endMachine,
  originOf,
  reasonOf,
  startMachine,
  startRuntime,
} from "./start-machine.ts";
import { equipmentOf } from "./equipment.ts";
import type { MachineSnapshot, MachineSpec, Vmm } from "./vmm.ts";

/** From a guest that is up to a runtime at its gate. Without a snapshot all starts stay slow, so a busy host gets the time for one. */
const GATE_MS_MAX = 300_000;
/** Emulated, on a busy host, it takes most of what a start may. */
const UP_MS_MAX = 30_000;
/** Nobody waits for a snapshot. */
const TEMPLATE_UP_MS_MAX = 120_000;

/** What most starts have: a machine that goes on with other limits has to change them first. */
const commonest = {
  limits: {
    memoryBytes: settingLimits.memoryMiB.default * MiB,
    pidsMax: fixedLimits.processesMax,
  },
  tmpBytes: settingLimits.tmpMiB.default * MiB,
};

/** What a snapshot is made of. */
type MachineSource = Pick<MachineSpec, "guest" | "shape">;

export interface MicrovmDriverOptions {
  nodeId: string;
  bootId: string;
  /** A private folder of this server. */
  stateDir: string;
  /** Where snapshots and findings are kept from life to life; for this user only. */
  keptDir: string;
  /** In the order in which they are tried; the first that is available runs all machines. */
  vmms: readonly Vmm[];
  guests: GuestSource;
  snapshotBytesMax: number;
  log: { warn(fields: object, text: string): void };
  /** Leaves out a technique although the machine has it; for tests of the others. */
  without?: readonly string[];
}

/** Functions in virtual machines, each with a kernel of its own. */
export class MicrovmDriver implements DriverCore {
  readonly name = "microvm";
  readonly #options: MicrovmDriverOptions;
  readonly #marks: SandboxMarks;
  readonly #users: HostUsers | null;
  readonly #snapshots: Snapshots<MachineSource>;
  readonly #sandboxes = new Set<MicrovmSandbox>();
  readonly #starting = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  #machine: Promise<MicrovmMachine> | null = null;
  #templates = 0;

  constructor(options: MicrovmDriverOptions) {
    const { nodeId, bootId, keptDir, snapshotBytesMax } = options;
    this.#options = options;
    this.#marks = sandboxMarks(nodeId, bootId);
    const isRoot = process.getuid?.() === 0;
    this.#users = isRoot ? new HostUsers(`${nodeId}.${bootId}`, 1) : null;
    this.#snapshots = new Snapshots({
      folder: join(keptDir, "snapshots"),
      bytesMax: snapshotBytesMax,
      setting: "vmSnapshotsMiBMax",
      take: (wanted, folder) => this.#take(wanted, folder),
      onProblem: (problem) => this.#onProblem(problem),
    });
  }

  async probe(): Promise<DriverProbe> {
    this.#machine = this.#examine();
    return probeOf(await this.#machine, await this.#options.guests.kernel());
  }

  async start(spec: SandboxSpec, ends: StreamEnds, signal: AbortSignal): Promise<SandboxHandle> {
    refuseWhatItHasNot(spec);
    await this.#machineOrFail();
    if (this.#closing.signal.aborted || signal.aborted) throw givenUp(spec);
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const starting = this.#start(spec, { ends, signal: either });
    this.#starting.add(starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }

  async sweep(): Promise<SweepReport> {
    const machine = await (this.#machine ??= this.#examine());
    for (const sandbox of this.#sandboxes) if (sandbox.isLost) await sandbox.retryDestroy();
    const { tree } = machine.cgroups;
    const removed = await sweepEarlierLives({
      ...{ tree, marks: this.#marks, foldersDir: this.#foldersDir },
    });
    // Before a guest was tried, another program or accelerator may be the one that is used in the end.
    if (machine.vmm !== null && machine.triedWith !== null)
      removed.push(...(await this.#snapshots.sweep(machine.vmmProbe.identity)));
    return { removed };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled([this.#machine]);
    this.#options.guests.close();
    await Promise.allSettled(this.#starting);
    await this.#snapshots.close();
    await Promise.all([...this.#sandboxes].map((sandbox) => sandbox.destroy("shutdown")));
  }

  get #foldersDir(): string {
    return join(this.#options.stateDir, "machines");
  }

  async #machineOrFail(): Promise<MicrovmMachine & { vmm: Vmm }> {
    const machine = await (this.#machine ??= this.#examine());
    const { vmm, problems } = machine;
    if (vmm !== null && problems.length === 0) return { ...machine, vmm };
    // It may have been installed meanwhile.
    this.#machine = null;
    throw new IsolaError("driver_unavailable", problems.join("; "));
  }

  /** Now that there is a guest, with the VMM and the accelerator that were seen to run one. */
  async #tried(): Promise<MicrovmMachine & { vmm: Vmm }> {
    const machine = await this.#machineOrFail();
    if (machine.triedWith !== null) return machine;
    this.#machine = this.#examine();
    return await this.#machineOrFail();
  }

  async #examine(): Promise<MicrovmMachine> {
    const { vmms, guests, without = [] } = this.#options;
    const machine = await examine(vmms, guests.any, this.#closing.signal);
    const isRoot = this.#users !== null;
    const cgroups = without.includes("cgroups")
      ? { tree: null, problem: "left out by a test" }
      : findCgroups();
    return { ...machine, cgroups, isRoot };
  }

  async #start(
    spec: SandboxSpec,
    { ends, signal }: { ends: StreamEnds; signal: AbortSignal },
  ): Promise<SandboxHandle> {
    const guest = await this.#options.guests.of(spec.runtime);
    const machine = await this.#tried();
    const { accelerator, identity } = machine.vmmProbe;
    const shape = shapeFor(spec.limits, accelerator ?? "emulation");
    const kind = { runtime: spec.runtime.name, guestDigest: guest.digest, identity, shape };
    const request: MachineRequest = {
      ...{ id: spec.id, mark: this.#marks.of(`microvm-${spec.id}`) },
      ...{ guest, shape, ends, signal, upMsMax: UP_MS_MAX },
    };
    if (spec.equipment !== undefined) {
      const onProblem = (problem: string) => this.#onProblem(`${spec.id}: ${problem}`);
      const equipment = equipmentOf(spec.equipment, guest, onProblem);
      return await this.#startFrom(machine, spec, { ...request, equipment }, null);
    }
    const snapshot = await this.#snapshots.find(kind);
    if (snapshot === null) {
      this.#snapshots.want(kind, { guest, shape });
      return await this.#startFrom(machine, spec, request, null);
    }
    try {
      return await this.#startFrom(machine, spec, request, snapshot);
    } catch (error) {
      if (signal.aborted) throw error;
      await this.#snapshots.drop(kind, messageOf(error));
      this.#snapshots.want(kind, { guest, shape });
      return await this.#startFrom(machine, spec, request, null);
    }
  }

  async #startFrom(
    machine: MicrovmMachine & { vmm: Vmm },
    spec: SandboxSpec,
    request: MachineRequest,
    snapshot: MachineSnapshot | null,
  ): Promise<MicrovmSandbox> {
    let sandbox: MicrovmSandbox | null = null;
    const early: (() => void)[] = [];
    const events: AgentEvents = {
      onExit: (exit) =>
        sandbox ? sandbox.onGuestExit(exit) : early.push(() => events.onExit?.(exit)),
      onOutOfMemory: () =>
        sandbox ? sandbox.endForMemory() : early.push(() => events.onOutOfMemory?.()),
      onProblem: (problem) => this.#onProblem(`${spec.id}: ${problem}`),
    };
    const up = await startMachine(this.#contextOf(machine), request, snapshot, events);
    try {
      await startRuntime(up, spec, request.signal);
      if (request.signal.aborted) throw givenUp(spec);
    } catch (error) {
      await endMachine(up);
      throw error;
    }
    sandbox = this.#adopt(spec, request, up, snapshot);
    for (const event of early) event();
    return sandbox;
  }

  #adopt(
    { id }: SandboxSpec,
    { shape }: MachineRequest,
    up: UpMachine,
    snapshot: MachineSnapshot | null,
  ): MicrovmSandbox {
    const sandbox = new MicrovmSandbox({
      ...{ id, ...up, shape, startedFrom: originOf(snapshot) },
      onProblem: (problem) => this.#onProblem(problem),
      onGone: () => this.#sandboxes.delete(sandbox),
    });
    this.#sandboxes.add(sandbox);
    return sandbox;
  }

  /** A machine that is stopped when its runtime stands at the gate, before anything of a tenant is in it. */
  async #take({ source }: WantedSnapshot<MachineSource>, folder: string): Promise<MachineSnapshot> {
    const machine = await this.#machineOrFail();
    this.#templates += 1;
    const id = `template-${this.#templates}`;
    const request: MachineRequest = {
      ...{ id, mark: this.#marks.of(`microvm-${id}`), ...source },
      ...{ ends: null, signal: this.#closing.signal, upMsMax: TEMPLATE_UP_MS_MAX },
    };
    const up = await startMachine(this.#contextOf(machine), request, null, {});
    const aborted = untilAborted(this.#closing.signal);
    try {
      await up.agent.prepare(commonest);
      const gate = Promise.race([up.agent.gate, aborted.promise]);
      await within(GATE_MS_MAX, "the runtime at its gate", gate);
      return await up.machine.snapshot(folder);
    } catch (error) {
      const why = await reasonOf(error, up.machine);
      throw new IsolaError("sandbox_start_failed", why, { cause: error });
    } finally {
      aborted.forget();
      await endMachine(up);
    }
  }

  #contextOf({ vmm, cgroups }: MicrovmMachine & { vmm: Vmm }) {
    const { tree } = cgroups;
    return { vmm, tree, users: this.#users, foldersDir: this.#foldersDir };
  }

  #onProblem(problem: string): void {
    this.#options.log.warn({ driver: this.name }, problem);
  }
}

function refuseWhatItHasNot({ egressOf }: SandboxSpec): void {
  if (egressOf !== undefined)
    throw new IsolaError("driver_unavailable", "sandboxes of the driver microvm have no network");
}

function givenUp(spec: SandboxSpec): IsolaError {
  return new IsolaError("sandbox_start_failed", `the start of ${spec.id} was given up`);
}
