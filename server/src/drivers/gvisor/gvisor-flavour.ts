import { totalmem } from "node:os";
import { overheadMiB } from "../../domain/function.ts";
import { commonUlimits, ulimit } from "../docker/container-options.ts";
import type { ContainerFlavour, FlavourFindings } from "../docker/flavour.ts";
import { findRuntime } from "./engine-runtime.ts";
import { hostLimits, processesInside } from "./host-limits.ts";
import { versionOf } from "./runsc-version.ts";

const COVER = "ro,noexec,nosuid,nodev,size=4k";

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
    containerLimits: hostLimits,
    // It does not mask paths. Its groups would be there to write for root, which nobody is.
    covered: { "/sys": COVER, "/sys/fs/cgroup": COVER },
    hostConfig: ({ limits }, runtime) => ({
      ...(runtime !== null && { Runtime: runtime }),
      // gVisor shows at most this to the code from its start on; what holds is set around it.
      ...{ Memory: totalmem(), MemorySwap: totalmem() },
      Ulimits: [...commonUlimits, ulimit("nproc", processesInside(limits.pidsMax))],
    }),
    protections,
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
