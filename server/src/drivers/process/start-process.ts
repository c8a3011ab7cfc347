import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { IsolaError, messageOf } from "../../errors.ts";
import type { RuntimeSpec, SandboxLimits, SandboxSpec } from "../driver.ts";
import { PIDS_OVERHEAD, type Plan, planFor } from "./bubblewrap.ts";
import type { Cgroup } from "../cgroups/cgroup.ts";
import type { HostUsers } from "../host-users.ts";
import { FILTER_FD, type LaunchStreams, launch } from "../children/launch.ts";
import type { ProcessMachine } from "./machine.ts";
import { makePrivateFolder, removeTree } from "../children/private-folder.ts";
import { type SandboxGroup, cgroupGroup, markedGroup } from "../children/sandbox-group.ts";
import { markVariable } from "../cgroups/sandbox-mark.ts";

/** A process limit that catches what escapes the pids controller; never the one a function meets first. */
const PROCESSES_BACKSTOP = 1024;

export interface StartContext {
  machine: ProcessMachine;
  users: HostUsers;
  /** By runtime. */
  plans: Map<string, Plan>;
  /** Where private folders are made with tier `none`. */
  foldersDir: string;
}

/** A started sandbox in parts. */
export interface Started {
  child: ChildProcess;
  group: SandboxGroup;
  taskRoot: string;
  /** Limits to watch by sampling; null where the kernel holds them. Changed in place. */
  sampled: { limits: SandboxLimits } | null;
  hostUser: number | null;
}

/** Starts the first process of a sandbox within its limits. Rejects with `sandbox_start_failed`, and then nothing is left. */
export async function startProcess(
  context: StartContext,
  spec: SandboxSpec,
  { mark, openStreams }: { mark: string; openStreams: () => Promise<LaunchStreams> },
): Promise<Started> {
  const { machine, foldersDir } = context;
  const isWrapped = machine.bwrap !== null;
  const pidsOverhead = isWrapped ? PIDS_OVERHEAD : 0;
  const limits = { ...spec.limits, pidsMax: spec.limits.pidsMax + pidsOverhead };
  let cgroup: Cgroup | null = null;
  let folder: string | null = null;
  let hostUser: number | null = null;
  try {
    cgroup = machine.cgroups.tree?.create(mark) ?? null;
    cgroup?.setLimits(limits);
    if (!isWrapped) folder = await makePrivateFolder(foldersDir, mark);
    const plan = isWrapped ? planOf(context, spec) : null;
    if (machine.isRoot && plan?.isReachableByAll === true) hostUser = context.users.take();
    const streams = await openStreams();
    const child = await run(context, spec, { mark, cgroup, folder, hostUser, plan, streams });
    const made = { mark, cgroup, folder, pidsOverhead };
    return { child, hostUser, ...groupOf(spec, child, made) };
  } catch (error) {
    if (hostUser !== null) context.users.give(hostUser);
    // No process has come to be, so both are empty.
    cgroup?.remove();
    if (folder !== null) await removeTree(folder);
    const text = `${spec.id} could not be started: ${messageOf(error)}`;
    throw new IsolaError("sandbox_start_failed", text, { cause: error });
  }
}

function planOf({ machine, plans }: StartContext, spec: SandboxSpec): Plan {
  const { limits, equipment } = spec;
  const hasTools = equipment?.hasTools ?? false;
  const runtime = hasTools ? withTools(spec.runtime) : spec.runtime;
  const wrapper = wrapperOf(machine, limits);
  const key = `${runtime.name} ${hasTools} ${runtime.executable} ${wrapper?.args.join(" ") ?? ""}`;
  const known = plans.get(key);
  if (known !== undefined) return known;
  const plan = planFor(machine.bwrap as NonNullable<typeof machine.bwrap>, runtime, wrapper);
  plans.set(key, plan);
  return plan;
}

function withTools(runtime: RuntimeSpec): RuntimeSpec {
  const { tools, companions = [], needs } = runtime;
  return {
    ...runtime,
    companions: [...companions, ...(tools?.companions ?? [])],
    needs: [...needs, ...(tools?.needs ?? [])],
  };
}

/** A program that limits processes from the inside: needed where there is no pids controller and no host user of its own. */
function wrapperOf({ cgroups, isRoot, prlimit }: ProcessMachine, { pidsMax }: SandboxLimits) {
  if (cgroups.tree !== null || isRoot || prlimit === null) return null;
  const limit = pidsMax + PIDS_OVERHEAD;
  return { program: prlimit, args: [`--nproc=${limit}:${limit}`] };
}

interface Made {
  mark: string;
  cgroup: Cgroup | null;
  folder: string | null;
  hostUser: number | null;
  plan: Plan | null;
  streams: LaunchStreams;
}

async function run(
  { machine }: StartContext,
  spec: SandboxSpec,
  made: Made,
): Promise<ChildProcess> {
  const { mark, cgroup, folder, hostUser, plan, streams } = made;
  const processesMax = cgroup === null ? spec.limits.pidsMax + PIDS_OVERHEAD : PROCESSES_BACKSTOP;
  const filter = plan === null ? null : machine.filter.program;
  const child = launch({
    streams,
    command: plan === null ? plainCommand(spec) : wrappedCommand(machine, plan, mark, spec),
    filter,
    env: folder === null ? {} : plainEnv(folder, mark),
    entries: cgroup?.openEntries() ?? [],
    hostUser,
    processesMax: hostUser === null ? null : processesMax,
    isGroupLeader: folder !== null,
    cwd: folder === null ? "/" : join(folder, "tmp"),
  });
  if (child.pid !== undefined) return child;
  const [error] = await once(child, "error");
  throw error;
}

/** The mark stands among the arguments as the name of a variable to unset, which there is not. */
function wrappedCommand(
  { bwrap, filter }: ProcessMachine,
  plan: Plan,
  mark: string,
  { tmpBytes, equipment }: SandboxSpec,
): string[] {
  const seccomp = filter.program === null ? [] : ["--seccomp", String(FILTER_FD)];
  const binds = (equipment?.sockets ?? []).flatMap(({ from, at }) => ["--ro-bind", from, at]);
  const head = [bwrap?.path as string, "--unsetenv", mark, ...seccomp, ...binds, ...plan.head];
  return [...head, String(tmpBytes), ...plan.tail];
}

function plainCommand({ runtime }: SandboxSpec): string[] {
  const args = runtime.args.map((arg) => arg.replaceAll("{runtime}", runtime.runtimeDir));
  return [runtime.executable, ...args];
}

function plainEnv(folder: string, mark: string): Record<string, string> {
  const tmp = join(folder, "tmp");
  const path = "/usr/local/bin:/usr/bin:/bin";
  const env = { ISOLA_CONTROL: "fd:3", PATH: path, HOME: tmp, TMPDIR: tmp, LANG: "C.UTF-8" };
  return { ...env, ...markVariable(mark) };
}

function groupOf(
  spec: SandboxSpec,
  child: ChildProcess,
  made: { mark: string; cgroup: Cgroup | null; folder: string | null; pidsOverhead: number },
): Pick<Started, "group" | "taskRoot" | "sampled"> {
  const { mark, cgroup, folder, pidsOverhead } = made;
  const taskRoot = folder === null ? "/var/task" : join(folder, "task");
  const inTree = (limits: SandboxLimits) => ({ ...limits, pidsMax: limits.pidsMax + pidsOverhead });
  if (cgroup !== null)
    return { group: cgroupGroup(cgroup, folder, inTree), taskRoot, sampled: null };
  const sampled = { limits: inTree(spec.limits) };
  const group = markedGroup({
    mark,
    pid: child.pid as number,
    folder,
    isGroupLeader: folder !== null,
    onLimits: (limits) => {
      sampled.limits = inTree(limits);
    },
  });
  return { group, taskRoot, sampled };
}
