import { overheadMiB } from "../../../domain/function.ts";
import type { DriverProbe, Protection } from "../../driver.ts";
import type { StandaloneMachine } from "./standalone-machine.ts";

/** What gVisor without an engine can do on this machine, in words. */
export function probeOf(machine: StandaloneMachine): DriverProbe {
  const { version, platform, snapshots, cgroups, problems, fixes } = machine;
  const { tree } = cgroups;
  return {
    name: "gvisor",
    isAvailable: problems.length === 0,
    tier: "strong",
    versions: {
      ...(version !== null && { runsc: version }),
      ...(platform !== null && { platform, snapshots: snapshots.problem ?? "yes" }),
      ...{ mode: "standalone, as root", network: "none" },
      ...(tree !== null && { cgroup: tree.version }),
    },
    protections: tree === null ? [] : protectionsOf(`cgroup ${tree.version}`),
    problems,
    fixes,
  };
}

function protectionsOf(groups: string): Protection[] {
  const kept = (name: string, how: string) => ({ name, isEnforced: true, how });
  return [
    kept(
      "files",
      "a read-only image that gVisor reads itself; no file of the host; /tmp and /var/task of its own",
    ),
    kept("network", "gVisor's own loopback; it has no network device"),
    kept("visibility", "a kernel of its own: no process, file or device of the host's is in it"),
    kept("tmp", "tmpfs of gVisor's, of limited size"),
    kept("privileges", "no capabilities, no_new_privs, a user without rights"),
    kept(
      "syscalls",
      "answered by gVisor; the profile of the docker driver holds inside, gVisor's own filter around it",
    ),
    kept("memory", `${groups}, with ${overheadMiB.gvisor} MiB for gVisor's kernel; no swap`),
    kept("processes", `rlimit, kept by gVisor's kernel; threads of the host: ${groups}`),
    kept("cpu", "equal shares, each a tenth of the server's, where processors are not enough"),
    kept("freeze", groups),
    kept("kill", `${groups}: all of it at once`),
    kept("open-files", "rlimit, kept by gVisor's kernel; no core files"),
  ];
}
