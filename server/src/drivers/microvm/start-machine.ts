import { randomBytes } from "node:crypto";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { overheadMiB } from "../../domain/function.ts";
import { IsolaError, messageOf } from "../../errors.ts";
import type { Cgroup, CgroupTree } from "../cgroups/cgroup.ts";
import { endGroup } from "../cgroups/end-group.ts";
import { KILL_CONFIRM_MS, type SandboxSpec, type StartedFrom, type StreamEnds } from "../driver.ts";
import type { HostUsers } from "../host-users.ts";
import { killUntilGone } from "../children/kill-until-gone.ts";
import { type SandboxGroup, cgroupGroup, markedGroup } from "../children/sandbox-group.ts";
import { Agent, type AgentEvents } from "./agent.ts";
import { untilAborted, within } from "./deadline.ts";
import { hostLimits } from "./machine-shape.ts";
import { epochNs } from "./microvm-sandbox.ts";
import type {
  GuestFiles,
  Machine,
  MachineEquipment,
  MachineShape,
  MachineSnapshot,
  Vmm,
} from "./vmm.ts";

const LATE_MS = 100;
/** Emulated, on a busy host, a runtime takes long to boot. */
const START_MS_MAX = 30_000;
const SEED_BYTES = 128;
const CONSOLE_CHARS_MAX = 300;
/** A machine whose channels have closed has mostly ended. */
const END_TOLD_MS = 200;

export interface MachineContext {
  vmm: Vmm;
  /** null: without control groups. */
  tree: CgroupTree | null;
  /** null: machines run as the server's own user. */
  users: HostUsers | null;
  /** Where machines have their folders. */
  foldersDir: string;
}

export interface MachineRequest {
  id: string;
  mark: string;
  guest: GuestFiles;
  shape: MachineShape;
  ends: StreamEnds | null;
  /** How long the guest may boot. */
  upMsMax: number;
  signal: AbortSignal;
  equipment?: MachineEquipment;
}

/** A machine whose init is up, with all that is to be given back when it is gone. */
export interface UpMachine {
  machine: Machine;
  agent: Agent;
  group: SandboxGroup;
}

/** Starts a machine, or has it go on, and waits for its init. Rejects with `sandbox_start_failed`, and then nothing is left. */
export async function startMachine(
  context: MachineContext,
  request: MachineRequest,
  snapshot: MachineSnapshot | null,
  events: AgentEvents,
): Promise<UpMachine> {
  const { vmm, tree, users, foldersDir } = context;
  const { id, mark, guest, shape, ends, upMsMax, signal, equipment } = request;
  const folder = join(foldersDir, mark);
  let cgroup: Cgroup | null = null;
  let machine: Machine | null = null;
  // What only writes a snapshot runs no code of a tenant.
  const hostUser = ends === null ? null : (users?.take() ?? null);
  const release = () => {
    if (hostUser !== null) users?.give(hostUser);
  };
  const aborted = untilAborted(signal);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    cgroup = tree?.create(mark) ?? null;
    const isRestored = snapshot !== null;
    cgroup?.setLimits(hostLimits(shape, { overheadMiB: overheadMiB.microvm, isRestored }));
    const entries = cgroup?.openEntries() ?? [];
    const spec = {
      ...{ id, shape, guest, folder, entries, hostUser, mark, ends },
      ...(equipment && { equipment }),
    };
    machine = await (snapshot === null
      ? vmm.boot(spec, signal)
      : vmm.restore(spec, snapshot, signal));
    const agent = new Agent(machine.agent, events);
    if (snapshot === null) {
      const up = Promise.race([agent.up, endOf(machine), aborted.promise]);
      await within(upMsMax, "the boot of the guest", up);
    }
    return { machine, agent, group: groupOf({ mark, folder, cgroup, machine, release }) };
  } catch (error) {
    const why = await reasonOf(error, machine);
    await removeHalf({ mark, folder, cgroup, machine, release });
    throw failureOf(id, why, error);
  } finally {
    aborted.forget();
  }
}

/** Has the runtime go through its gate, with randomness and a clock of its own. Rejects with `sandbox_start_failed`; the machine is the caller's to end. */
export async function startRuntime(
  { machine, agent }: UpMachine,
  { id, limits, tmpBytes }: Pick<SandboxSpec, "id" | "limits" | "tmpBytes">,
  signal: AbortSignal,
): Promise<void> {
  const aborted = untilAborted(signal);
  try {
    const seed = randomBytes(SEED_BYTES);
    const askedAt = performance.now();
    const started = agent.start({ epochNs: epochNs(), seed, limits, tmpBytes }, START_MS_MAX);
    await Promise.race([started, endOf(machine), aborted.promise]);
    // What took so long to be done has set a clock of the past.
    if (performance.now() - askedAt > LATE_MS)
      await Promise.race([agent.keepTime(epochNs), endOf(machine), aborted.promise]);
  } catch (error) {
    throw failureOf(id, await reasonOf(error, machine), error);
  } finally {
    aborted.forget();
  }
}

/** Kills it and waits until nothing of it is left. */
export async function endMachine({ machine, group }: UpMachine): Promise<void> {
  let hasExited = false;
  const exited = machine.exited.then(() => void (hasExited = true));
  const killed = {
    ...{ id: "machine", group, exited, hasExited: () => hasExited, kill: () => machine.kill() },
    onProblem() {}, // what is still there keeps its group from being removed, which is told
  };
  await killUntilGone(killed, performance.now() + KILL_CONFIRM_MS);
  await group.remove();
}

export function originOf(snapshot: MachineSnapshot | null): StartedFrom {
  return snapshot === null ? "boot" : "snapshot";
}

/** Rejects when the VMM ends. */
async function endOf(machine: Machine): Promise<never> {
  const { exitCode, signal, text } = await machine.exited;
  const how = signal ?? `status ${exitCode}`;
  throw new Error(`its machine ended with ${how}${text === "" ? "" : `: ${text}`}`);
}

/** What a person can use. Where the machine has ended too, that says more than a channel that has closed. */
export async function reasonOf(error: unknown, machine: Machine | null): Promise<string> {
  if (machine === null) return messageOf(error);
  const settling = delay(END_TOLD_MS).then(() => messageOf(error));
  const ending = endOf(machine).catch((end: unknown) => messageOf(end));
  const why = await Promise.race([ending, settling]);
  const said = machine.console().trim().slice(-CONSOLE_CHARS_MAX);
  return said === "" ? why : `${why}; its console ends with: ${said}`;
}

function failureOf(id: string, why: string, error: unknown): IsolaError {
  if (error instanceof IsolaError && error.code === "driver_unavailable") return error;
  const text = `${id} could not be started: ${why}`;
  return new IsolaError("sandbox_start_failed", text, { cause: error });
}

interface Parts {
  mark: string;
  folder: string;
  cgroup: Cgroup | null;
  machine: Machine | null;
  release(): void;
}

const asTheyAre = <T>(limits: T) => limits;

function groupOf({ mark, folder, cgroup, machine, release }: Parts): SandboxGroup {
  const pid = machine?.pid as number;
  const options = { mark, pid, folder: null, isGroupLeader: false, onLimits: () => {} };
  const group = cgroup === null ? markedGroup(options) : cgroupGroup(cgroup, null, asTheyAre);
  return {
    ...group,
    async remove() {
      await group.remove();
      await rm(folder, { recursive: true, force: true });
      release();
    },
  };
}

async function removeHalf({ folder, cgroup, machine, release }: Parts): Promise<void> {
  machine?.kill();
  await machine?.exited;
  try {
    if (cgroup !== null && !(await endGroup(cgroup))) return;
    cgroup?.remove();
    await rm(folder, { recursive: true, force: true });
    release();
  } catch {
    // Something of it is still there: a sweep finds it by its mark.
  }
}
