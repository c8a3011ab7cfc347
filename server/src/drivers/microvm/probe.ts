import { overheadMiB } from "../../domain/function.ts";
import type { CgroupsFound } from "../cgroups/find-cgroups.ts";
import type { DriverProbe, Protection } from "../driver.ts";
import type { GuestFiles, Vmm, VmmProbe } from "./vmm.ts";

/** What the driver has to work with on this machine. */
export interface MicrovmMachine {
  /** null: none that is available. */
  vmm: Vmm | null;
  /** Of `vmm`; where there is none, of the first that was looked at. */
  vmmProbe: VmmProbe;
  /** What `vmmProbe` was made with. */
  triedWith: GuestFiles | null;
  cgroups: CgroupsFound;
  isRoot: boolean;
  /** Without these nothing is started. */
  problems: string[];
  fixes: string[];
}

/** The first VMM that is available. `guest`: to try one with. */
export async function examine(
  vmms: readonly Vmm[],
  guest: GuestFiles | null,
  signal: AbortSignal,
): Promise<Omit<MicrovmMachine, "cgroups" | "isRoot">> {
  const probes: VmmProbe[] = [];
  for (const vmm of vmms) {
    const vmmProbe = await vmm.probe(guest, signal);
    probes.push(vmmProbe);
    if (!vmmProbe.isAvailable) continue;
    return { vmm, vmmProbe, triedWith: guest, problems: [], fixes: [] };
  }
  return {
    ...{ vmm: null, vmmProbe: probes[0] as VmmProbe, triedWith: guest },
    problems: probes.flatMap(({ problems }) => problems),
    fixes: probes.flatMap(({ fixes }) => fixes),
  };
}

/** `kernel`: what guests have. */
export function probeOf(machine: MicrovmMachine, kernel: string): DriverProbe {
  const { vmm, vmmProbe, problems, fixes } = machine;
  const isAvailable = vmm !== null && problems.length === 0;
  return {
    name: "microvm",
    isAvailable,
    tier: "strong",
    versions: { ...vmmProbe.versions, kernel, ...cgroupVersion(machine) },
    protections: protectionsOf(machine),
    // Of one that is there they say what would be better.
    problems: isAvailable ? vmmProbe.problems : problems,
    fixes: isAvailable ? vmmProbe.fixes : fixes,
  };
}

function cgroupVersion({ cgroups }: MicrovmMachine): Record<string, string> {
  return cgroups.tree === null ? {} : { cgroup: cgroups.tree.version };
}

function protectionsOf({ vmmProbe, cgroups, isRoot }: MicrovmMachine): Protection[] {
  const kept = (name: string, how: string) => ({ name, isEnforced: true, how });
  const { tree } = cgroups;
  const around = (what: string, controller: string) =>
    tree !== null && tree.controllers.includes(controller)
      ? kept(what, `cgroup ${tree.version} ${controller} around the machine`)
      : { name: what, isEnforced: false, how: "no: control groups are not available" };
  return [
    kept("files", "read-only root image; /tmp and /var/task in the machine's own memory"),
    kept("network", "none: the machine has no network device, only its own loopback"),
    kept("visibility", "a kernel of its own: no process, file or device of the host's is in it"),
    kept("tmp", "tmpfs of limited size and number of files, in the machine"),
    kept("privileges", "no capabilities, no_new_privs, a user without rights, in the machine"),
    kept("syscalls", "answered by the guest's kernel; seccomp filter of the platform there"),
    kept(
      "memory",
      `control group in the machine, whose RAM is bounded, with ${overheadMiB.microvm} MiB beside it on the host`,
    ),
    kept("processes", "control group in the machine"),
    around("cpu", "cpu"),
    around("freeze", "freezer"),
    kept("kill", tree === null ? "the VMM's process" : `cgroup ${tree.version}: the VMM's process`),
    kept("open-files", "rlimit; no core files"),
    hostUser(isRoot),
    ...Object.entries(vmmProbe.protections).map(([name, each]) => ({ name, ...each })),
  ];
}

function hostUser(isRoot: boolean): Protection {
  const how = isRoot
    ? "a user id of its own for each machine"
    : "the user of the server, who is not root";
  return { name: "host-user", isEnforced: true, how };
}
