import type Dockerode from "dockerode";
import { fixedLimits } from "../../domain/limits.ts";
import { CPU_SHARES } from "../cgroups/cgroup.ts";
import type { RuntimeSpec, SandboxSpec } from "../driver.ts";
import type { ContainerFlavour } from "./flavour.ts";
import { seccompProfile } from "./seccomp-profile.ts";
import { INSIDE, SHM_BYTES, TASK_BYTES } from "../sandbox-view.ts";

/** Nobody's: the user of all sandboxes. */
const USER = 65534;
/** Where the control socket is mounted, alone. */
export const CONTROL_PATH = "/run/isola/control.sock";
export const TASK_ROOT = "/var/task";
/** Files that a tmpfs may hold: a package's, and as many as a full `/tmp` of small ones. */
const INODES_MAX = 65_536;

export const labels = {
  node: "io.isola.node",
  boot: "io.isola.boot",
  sandbox: "io.isola.sandbox",
  driver: "io.isola.driver",
} as const;

export interface ContainerPlace {
  image: string;
  nodeId: string;
  bootId: string;
  /** The socket on the host; null: its input and output are attached to. */
  controlPath: string | null;
  /** The group, on the engine's side, in which the engine makes the container's; null: where it always does. */
  cgroupParent: string | null;
  /** By name, with name servers to ask; null: none. */
  network: { name: string; resolvers: readonly string[] } | null;
  /** What holds it, and the runtime found for that. */
  flavour: ContainerFlavour;
  runtime: string | null;
}

/**
 * A container for one sandbox. Everything in it is ours: of the user's settings only numbers come in, and env, code and limits of a function reach the sandbox over its
 * stream.
 */
export function containerOptions(
  spec: SandboxSpec,
  place: ContainerPlace,
): Dockerode.ContainerCreateOptions {
  return {
    Image: place.image,
    Entrypoint: commandOf(spec.runtime),
    Cmd: [],
    User: `${USER}:${USER}`,
    WorkingDir: "/tmp",
    Hostname: "sandbox",
    Env: environmentOf(place),
    Tty: false,
    ...stdinOf(place),
    AttachStdout: true,
    AttachStderr: true,
    NetworkDisabled: place.network === null,
    StopSignal: "SIGKILL",
    Healthcheck: { Test: ["NONE"] },
    Labels: {
      [labels.node]: place.nodeId,
      [labels.boot]: place.bootId,
      [labels.sandbox]: spec.id,
      [labels.driver]: place.flavour.name,
    },
    HostConfig: hostConfig(spec, place),
  };
}

/** With `StdinOnce` the input of the container ends with the connection that carries it. */
function stdinOf({ controlPath }: ContainerPlace) {
  if (controlPath !== null) return { OpenStdin: false };
  return { OpenStdin: true, StdinOnce: true, AttachStdin: true };
}

function hostConfig(spec: SandboxSpec, place: ContainerPlace): Dockerode.HostConfig {
  const { memoryBytes, pidsMax } = place.flavour.containerLimits(spec.limits, spec.limits);
  return {
    ...{ Privileged: false, CapDrop: ["ALL"], SecurityOpt: securityOptions(place.flavour) },
    ...{ MaskedPaths: masked, ReadonlyPaths: readonlyPaths },
    ...{
      ReadonlyRootfs: true,
      NetworkMode: place.network?.name ?? "none",
      IpcMode: "private",
      CgroupnsMode: "private",
    },
    ...{ Init: true, AutoRemove: false, RestartPolicy: { Name: "no" } },
    LogConfig: { Type: "none", Config: {} },
    ...{ Memory: memoryBytes, MemorySwap: memoryBytes, CpuShares: CPU_SHARES },
    ...{ PidsLimit: pidsMax, ShmSize: SHM_BYTES, Ulimits: commonUlimits },
    Tmpfs: {
      "/tmp": tmpfs(spec.tmpBytes),
      [TASK_ROOT]: tmpfs(TASK_BYTES),
      ...place.flavour.covered,
    },
    Mounts: [
      ...(place.controlPath === null ? [] : [bind(place.controlPath, CONTROL_PATH)]),
      ...equipmentOf(spec),
    ],
    ...(place.network !== null && { Dns: [...place.network.resolvers] }),
    ...(place.cgroupParent !== null && { CgroupParent: place.cgroupParent }),
    ...place.flavour.hostConfig(spec, place.runtime),
  };
}

export const commonUlimits = [ulimit("nofile", fixedLimits.openFilesMax), ulimit("core", 0)];

function equipmentOf({ runtime, equipment }: SandboxSpec): Dockerode.MountSettings[] {
  if (equipment === undefined) return [];
  const tools = equipment.hasTools ? (runtime.tools?.companions ?? []) : [];
  return [
    ...equipment.sockets.map(({ from, at }) => bind(from, at)),
    ...tools.map(({ from, at }) => bind(from, `${INSIDE}/${at}`)),
  ];
}

function bind(from: string, at: string): Dockerode.MountSettings {
  const options = { Propagation: "rprivate" } as const;
  return { Type: "bind", Source: from, Target: at, ReadOnly: true, BindOptions: options };
}

/** On machines without a list of system calls the engine's own profile holds. */
function securityOptions({ absent }: ContainerFlavour): string[] {
  const profile = seccompProfile(process.arch, absent);
  return ["no-new-privileges", ...(profile === null ? [] : [`seccomp=${JSON.stringify(profile)}`])];
}

/** What tells of the whole machine, and no function needs. */
const masked = [
  ...["acpi", "asound", "bus", "interrupts", "kcore", "keys", "kmsg", "latency_stats"],
  ...["sched_debug", "scsi", "sysvipc", "timer_list", "timer_stats"],
]
  .map((name) => `/proc/${name}`)
  .concat("/sys");
/** As a whole: settings of its own namespaces and the memory of its first process are not the function's to write. */
const readonlyPaths = ["/proc", "/dev", "/dev/mqueue"];

/** What the runtime itself needs; the function's own environment comes over the stream. */
function environmentOf({ controlPath }: ContainerPlace): string[] {
  return [
    `ISOLA_CONTROL=${controlPath === null ? "stdio" : `unix:${CONTROL_PATH}`}`,
    ...["HOME=/tmp", "MALLOC_ARENA_MAX=1", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"],
  ];
}

/** Names are looked up in the image. */
function commandOf({ family, args }: RuntimeSpec): string[] {
  const [program, folder] = family === "nodejs" ? ["node", "node"] : ["python3", "python"];
  return [
    program,
    ...args.map((arg) => arg.replaceAll("{runtime}", `${INSIDE}/runtimes/${folder}`)),
  ];
}

function tmpfs(bytes: number): string {
  return `rw,exec,nosuid,nodev,size=${bytes},nr_inodes=${INODES_MAX},uid=${USER},gid=${USER},mode=0700`;
}

export function ulimit(name: string, value: number) {
  return { Name: name, Soft: value, Hard: value };
}
