import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fixedLimits } from "../../../domain/limits.ts";
import { commandOf } from "../../../images/guest/root-tree.ts";
import { seccompProfile } from "../../docker/seccomp-profile.ts";
import type { RuntimeSpec, SandboxSocket, SandboxSpec } from "../../driver.ts";
import { INSIDE, SHM_BYTES, TASK_BYTES } from "../../sandbox-view.ts";
import { processesInside } from "../host-limits.ts";

/** Nobody's: the user of all sandboxes. */
const USER = 65534;
export const INIT_PATH = `${INSIDE}/bin/init`;
export const RESEED_PATH = `${INSIDE}/bin/reseed.node`;
export const TASK_ROOT = "/var/task";
/** Where the first process gives the control stream to the runtime: what is its own descriptor 0, as no other is there again after a restore. */
const CONTROL = "fd:3";
/** Below the folder of a sandbox. */
const EMPTY = "empty";
const STATE = "state";

/** What a bundle is made for: everything in it is ours, and of a user's settings only numbers come in. */
export interface BundleSpec {
  /** Path of the image that is its root. */
  image: string;
  /** What runs in it. */
  command: string[];
  /** Beside what is common to all. */
  env: readonly string[];
  pidsMax: number;
  tmpBytes: number;
  sockets: readonly SandboxSocket[];
}

/** The bundle of a sandbox with a runtime. `isGated`: it stands still when it has loaded everything, until 64 bytes of randomness come on its control stream. */
export function bundleFor(
  { runtime, limits, tmpBytes, equipment }: Omit<SandboxSpec, "id" | "egressOf">,
  image: string,
  isGated: boolean,
): BundleSpec {
  const { pidsMax } = limits;
  const gate = [
    `ISOLA_GATE=${CONTROL}`,
    ...(runtime.family === "nodejs" ? [`ISOLA_RESEED=${RESEED_PATH}`] : []),
  ];
  return {
    ...{ image, command: runtimeCommand(runtime), pidsMax, tmpBytes },
    env: [`ISOLA_CONTROL=${CONTROL}`, ...(isGated ? gate : [])],
    sockets: equipment?.sockets ?? [],
  };
}

function runtimeCommand(runtime: RuntimeSpec): string[] {
  return commandOf(runtime, INSIDE);
}

/** Fills the folder of a sandbox with what `runsc` reads, and where it keeps its state. Nothing in it can be written from inside. */
export async function writeBundle(folder: string, spec: BundleSpec): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of [EMPTY, STATE]) await mkdir(join(folder, name), { mode: 0o700 });
  // gVisor looks at it as a user without rights.
  await chmod(join(folder, EMPTY), 0o555);
  await writeFile(join(folder, "config.json"), JSON.stringify(configOf(folder, spec)));
}

export function stateDirOf(folder: string): string {
  return join(folder, STATE);
}

/** As the OCI runtime specification 1.0 has it. */
export function configOf(folder: string, spec: BundleSpec) {
  const seccomp = seccompProfile(process.arch, "trace");
  return {
    ociVersion: "1.0.2",
    hostname: "sandbox",
    process: processOf(spec),
    // gVisor reads the image itself; a folder has to be there all the same.
    root: { path: join(folder, EMPTY), readonly: true },
    annotations: {
      "dev.gvisor.spec.rootfs.source": spec.image,
      "dev.gvisor.spec.rootfs.type": "erofs",
    },
    mounts: [
      mount("/proc", "proc", ["ro", "nosuid", "nodev", "noexec"]),
      mount("/sys", "tmpfs", ["ro", "nosuid", "nodev", "noexec", "size=4k"]),
      mount("/tmp", "tmpfs", own(spec.tmpBytes)),
      mount(TASK_ROOT, "tmpfs", own(TASK_BYTES)),
      mount("/dev/shm", "tmpfs", [...own(SHM_BYTES), "noexec"]),
      ...spec.sockets.map(({ from, at }) => ({
        ...mount(at, "bind", ["bind", "ro", "nosuid", "nodev", "noexec"]),
        source: from,
      })),
    ],
    linux: {
      namespaces: ["pid", "ipc", "uts", "mount", "network"].map((type) => ({ type })),
      ...(seccomp !== null && { seccomp }),
    },
  };
}

function processOf({ command, env, pidsMax }: BundleSpec) {
  return {
    user: { uid: USER, gid: USER },
    args: [INIT_PATH, ...command],
    env: [
      ...env,
      ...["HOME=/tmp", "MALLOC_ARENA_MAX=1", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"],
    ],
    cwd: "/tmp",
    noNewPrivileges: true,
    capabilities: {},
    rlimits: [
      rlimit("RLIMIT_NOFILE", fixedLimits.openFilesMax),
      rlimit("RLIMIT_CORE", 0),
      rlimit("RLIMIT_NPROC", processesInside(pidsMax)),
    ],
  };
}

function mount(destination: string, type: string, options: string[]) {
  return { destination, type, source: type, options };
}

function own(bytes: number): string[] {
  return ["nosuid", "nodev", `size=${bytes}`, "mode=0700", `uid=${USER}`, `gid=${USER}`];
}

function rlimit(type: string, value: number) {
  return { type, hard: value, soft: value };
}
