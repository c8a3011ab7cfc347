import { execFile } from "node:child_process";
import { totalmem } from "node:os";
import { promisify } from "node:util";
import { overheadMiB } from "../../domain/function.ts";
import { MiB } from "../../domain/limits.ts";
import { messageOf } from "../../errors.ts";
import { commonUlimits, ulimit } from "../docker/container-options.ts";
import type { ContainerFlavour, FlavourFindings } from "../docker/flavour.ts";
import type { SandboxLimits } from "../driver.ts";
import { findRuntime } from "./engine-runtime.ts";

const COVER = "ro,noexec,nosuid,nodev,size=4k";
const VERSION_MS_MAX = 5000;
/** The first process, which reaps. */
const INIT_PROCESSES = 1;
/** Threads that gVisor's kernel has on the host: some of its own, and some for each of the function's. */
const HOST_THREADS = 256;
const HOST_THREADS_EACH = 4;

/** Containers whose system calls are answered by gVisor's kernel, a program on the host. `wanted`: the engine's runtime to use; null: the one that is found. */
export function gvisorFlavour(wanted: string | null): ContainerFlavour {
  return {
    name: "gvisor",
    tier: "strong",
    hasEgress: false,
    // Its errors are EPERM whatever a profile says, at which a C library gives up where it would have tried another call.
    absent: "trace",
    async examine(facts): Promise<FlavourFindings> {
      const { found, problems, fixes } = findRuntime(facts, wanted);
      if (found === null) return { runtime: null, versions: {}, problems, fixes };
      const version = await versionOf(found.path);
      return {
        runtime: found.name,
        versions: { runsc: version.text, platform: found.platform, runtime: found.name },
        problems: version.problem === null ? [] : [version.problem],
        fixes: [],
      };
    },
    // runsc has no such command.
    canUpdate: false,
    containerLimits,
    // It does not mask paths. Its groups would be there to write for root, which nobody is.
    covered: { "/sys": COVER, "/sys/fs/cgroup": COVER },
    hostConfig: ({ limits }, runtime) => ({
      ...(runtime !== null && { Runtime: runtime }),
      // gVisor shows at most this to the code from its start on; what holds is set around it.
      ...{ Memory: totalmem(), MemorySwap: totalmem() },
      Ulimits: [...commonUlimits, ulimit("nproc", limits.pidsMax + INIT_PROCESSES)],
    }),
    protections,
  };
}

/** The number of processes is kept by gVisor's kernel, from the start of the sandbox on. */
function containerLimits(
  { memoryBytes, pidsMax }: SandboxLimits,
  started: SandboxLimits,
): SandboxLimits {
  if (pidsMax !== started.pidsMax)
    throw new Error(`it was started for ${started.pidsMax} processes, not for ${pidsMax}`);
  return {
    memoryBytes: memoryBytes + overheadMiB.gvisor * MiB,
    pidsMax: HOST_THREADS + HOST_THREADS_EACH * (pidsMax + INIT_PROCESSES),
  };
}

function protections(groups: string): Readonly<Record<string, string>> {
  return {
    visibility: "a kernel of its own: no process, file or device of the host's is in it",
    network: "gVisor's own loopback; it has no network device",
    syscalls: `answered by gVisor; the profile of the docker driver holds inside, gVisor's own filter around it`,
    memory: `${groups}, with ${overheadMiB.gvisor} MiB for gVisor's kernel; no swap`,
    processes: `rlimit, kept by gVisor's kernel; threads of the host: ${groups}`,
    "open-files": "rlimit, kept by gVisor's kernel; no core files",
    tmp: "tmpfs of gVisor's, of limited size",
  };
}

async function versionOf(path: string): Promise<{ text: string; problem: string | null }> {
  try {
    const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: VERSION_MS_MAX });
    const [, text = "unknown"] = /^runsc version (?:release-)?(\S+)/m.exec(stdout) ?? [];
    return { text, problem: null };
  } catch (error) {
    return { text: "unknown", problem: `${path} does not run: ${messageOf(error)}` };
  }
}
