import { release } from "node:os";
import type { IsolationTier } from "../driver.ts";
import { findProgram } from "../find-program.ts";
import { type Bubblewrap, findBubblewrap } from "./bubblewrap.ts";
import { type CgroupsFound, findCgroups } from "../cgroups/find-cgroups.ts";
import { type SyscallFilter, findSyscallFilter } from "./seccomp.ts";

/** What the process driver has to work with on this machine. */
export interface ProcessMachine {
  bwrap: Bubblewrap | null;
  /** Why bubblewrap is not used. */
  bwrapProblem: string | null;
  cgroups: CgroupsFound;
  /** Of sandboxes with bubblewrap. */
  filter: SyscallFilter;
  /** Root may give every sandbox a host user of its own. */
  isRoot: boolean;
  /** Sets a process limit inside a user namespace of its own, where nothing else limits processes. */
  prlimit: string | null;
  tier: IsolationTier;
}

export async function examine(): Promise<ProcessMachine> {
  const isLinux = process.platform === "linux";
  const found = isLinux ? await findBubblewrap() : { problem: "bubblewrap needs Linux" };
  const bwrap = "problem" in found ? null : found;
  return {
    bwrap,
    bwrapProblem: "problem" in found ? found.problem : null,
    cgroups: findCgroups(),
    filter: findSyscallFilter(),
    isRoot: isLinux && process.getuid?.() === 0,
    prlimit: countsProcessesPerNamespace() ? findProgram("prlimit") : null,
    tier: bwrap === null ? "none" : "namespaces",
  };
}

/** Since Linux 5.14 the process limit counts within a user namespace, not over all processes of the user. */
function countsProcessesPerNamespace(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > 5 || (major === 5 && minor >= 14);
}
