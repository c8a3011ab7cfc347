import type { SandboxLimits, SandboxUsage } from "../driver.ts";
import { killPid } from "../cgroups/cgroup-files.ts";
import type { Cgroup } from "../cgroups/cgroup.ts";
import { freezeGroup } from "../cgroups/freeze.ts";
import { type MarkPlace, findMarked, readProcesses, treeOf } from "../cgroups/process-table.ts";
import { removeTree } from "./private-folder.ts";
import { markText } from "../cgroups/sandbox-mark.ts";

/** Everything of one sandbox as a whole: what is limited, counted and killed. */
export interface SandboxGroup {
  /** Throws when they cannot be put in force. */
  setLimits(limits: SandboxLimits): void;
  usage(): Promise<SandboxUsage>;
  /** `usage` says, after its end, what it had used. */
  readonly countsTheEnded: boolean;
  wasKilledForMemory(): boolean;
  /** Resolves with true once all of it stands still; false where it cannot be stopped, or a `thaw` came between. */
  freeze(): Promise<boolean>;
  thaw(): void;
  /** SIGKILL to all of it, once. */
  kill(isThorough: boolean): Promise<void>;
  isEmpty(): Promise<boolean>;
  /** Removes what was kept for it. */
  remove(): Promise<void>;
}

/** A group that the kernel keeps. `whole`: what all in it may take, so that the function has its limits; throws where these cannot be. */
export function cgroupGroup(
  cgroup: Cgroup,
  folder: string | null,
  whole: (limits: SandboxLimits) => SandboxLimits,
): SandboxGroup {
  return {
    setLimits: (limits) => cgroup.setLimits(whole(limits)),
    usage: async () => cgroup.usage(),
    countsTheEnded: true,
    wasKilledForMemory: () => cgroup.oomKills() > 0,
    freeze: () => freezeGroup(cgroup),
    thaw: () => cgroup.thaw(),
    kill: async (isThorough) => cgroup.killAll(isThorough),
    isEmpty: async () => cgroup.isEmpty(),
    async remove() {
      cgroup.remove();
      if (folder !== null) await removeTree(folder);
    },
  };
}

export interface MarkedGroupOptions {
  mark: string;
  pid: number;
  folder: string | null;
  /** The child leads a process group of its own; otherwise killing it kills its whole pid namespace. */
  isGroupLeader: boolean;
  onLimits(limits: SandboxLimits): void;
}

/** Without cgroups: the process tree, and whatever carries the sandbox's mark. Memory is sampled by the driver's watch. */
export function markedGroup(options: MarkedGroupOptions): SandboxGroup {
  const { mark, pid, folder, isGroupLeader } = options;
  const places: MarkPlace[] = isGroupLeader ? ["environ", "cwd"] : ["cmdline"];
  const findAll = () => findMarked((text) => text === mark || text === markText(mark), places);
  return {
    setLimits: (limits) => options.onLimits(limits),
    async usage() {
      const tree = treeOf(pid, await readProcesses());
      const memoryBytes = tree.reduce((sum, row) => sum + row.memoryBytes, 0);
      return { memoryBytes, cpuMicros: null, pids: tree.length };
    },
    countsTheEnded: false,
    wasKilledForMemory: () => false,
    freeze: async () => false,
    thaw: () => {},
    async kill(isThorough) {
      if (isGroupLeader) killPid(-pid);
      // The first process of a pid namespace dies with the child, and all others with it.
      if (!isGroupLeader && !isThorough) return killPid(pid);
      for (const found of await findAll()) killPid(found.pid);
    },
    isEmpty: async () => (await findAll()).length === 0,
    async remove() {
      if (folder !== null) await removeTree(folder);
    },
  };
}
