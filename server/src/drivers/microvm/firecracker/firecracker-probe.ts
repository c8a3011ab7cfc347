import { cpus } from "node:os";
import type { VmmProbe } from "../vmm.ts";
import { bootCalls, restoreCall } from "./boot-calls.ts";
import type { FirecrackerPrograms, Missing } from "./find-firecracker.ts";

/** What is said where Firecracker cannot be used. */
export function unavailable(versions: VmmProbe["versions"], { problem, fix }: Missing): VmmProbe {
  return {
    ...{ isAvailable: false, versions, accelerator: null, identity: "", protections: {} },
    ...{ problems: [problem], fixes: [fix] },
  };
}

export function available(
  programs: FirecrackerPrograms,
  { accelerator, isTried }: { accelerator: "kvm" | "emulation"; isTried: boolean },
): VmmProbe {
  const untried = "Firecracker is there, and no guest was tried with it yet";
  const jailer = "run the server as root: Firecracker then has a root and a user of its own";
  return {
    ...{ isAvailable: true, versions: versionsOf(programs), accelerator },
    identity: identityOf(programs, cpus()[0]?.model ?? ""),
    protections: protectionsOf(programs),
    problems: isTried ? [] : [untried],
    fixes: programs.jailer === null ? [jailer] : [],
  };
}

export function versionsOf({ version, jailer }: FirecrackerPrograms): Record<string, string> {
  return { firecracker: version.text, ...(jailer === null ? {} : { jailer: version.text }) };
}

/** Firecracker takes snapshots of its own version and of the same processor. */
function identityOf({ version }: FirecrackerPrograms, processor: string): string {
  const calls = [...bootCalls({ memoryMiB: 0, vcpus: 0 }), restoreCall];
  return `firecracker ${version.text} ${JSON.stringify(calls)} ${processor}`;
}

function protectionsOf({ jailer }: FirecrackerPrograms): VmmProbe["protections"] {
  const isJailed = jailer !== null;
  const how = isJailed
    ? "Firecracker's jailer: a root of its own with the machine's files alone, and a user id of its own"
    : "no: the server is not root, so Firecracker sees what the server's user may read";
  return {
    "vmm-view": { isEnforced: isJailed, how },
    "vmm-syscalls": { isEnforced: true, how: "Firecracker's own seccomp filters, for each thread" },
  };
}
