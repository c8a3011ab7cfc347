import type { SandboxLimits, SandboxUsage } from "../driver.ts";

/**
 * The control group of one sandbox, over one folder (v2) or one folder per controller (v1).
 * Life: made empty, entered by the sandbox's first process before it runs anything, killed, removed.
 */
export interface Cgroup {
  /** The group inside this one that somebody else has made; null where there is none (any more). */
  inside(name: string): Cgroup | null;
  /** Open descriptors, at most 6: a process that writes `0` to each of them has entered the group. The caller closes them. */
  openEntries(): number[];
  /** Throws when a limit cannot be put in force, or does not read back. */
  setLimits(limits: SandboxLimits): void;
  usage(): SandboxUsage;
  /** Processes that the kernel has killed for memory so far: of this group, with version 2 also of those inside. */
  oomKills(): number;
  /** Whether the group, with all inside, has ever been at its memory limit and been refused more. */
  hasHitMemoryLimit(): boolean;
  /** Asks the kernel to stop everything inside; false where there is no freezer. */
  freeze(): boolean;
  thaw(): void;
  frozenState(): "thawed" | "freezing" | "frozen";
  /** Sends SIGKILL to everything inside, in groups of this one too, once; what is frozen dies too. `isThorough` also stops what forks faster than it can be killed, and has it die with the server's own part of the processors. */
  killAll(isThorough: boolean): void;
  isEmpty(): boolean;
  /** Removes the folders; throws while anything is inside. Missing folders are fine. */
  remove(): void;
}

/** Where the groups of this server are made. */
export interface CgroupTree {
  readonly version: "v1" | "v2";
  /** Controllers in force: `memory`, `pids`, `cpu`, `cpuacct`, `freezer`. */
  readonly controllers: readonly string[];
  /** Where groups are made, as a path from the root of the hierarchies; null where it differs between them. */
  readonly parentPath: string | null;
  /** Throws when the folders cannot be made; then none is left. */
  create(name: string): Cgroup;
  /** Groups, in any place of the tree, whose name `isLeftover` accepts; each name once. */
  leftovers(isLeftover: (name: string) => boolean): Promise<{ name: string; cgroup: Cgroup }[]>;
}

/**
 * A sandbox's part of the processors where they are not enough, in the units of either version: a tenth of what the server has by default (100 and 1024), so that
 * the gateway gets through to all sandboxes while some of them spin. Whoever is alone still gets all of them.
 */
export const CPU_WEIGHT = 10;
export const CPU_SHARES = 102;
/** What is killed needs processor time to end: on a busy machine its end is seen late with less than the server has. */
export const DYING_CPU_WEIGHT = 100;
export const DYING_CPU_SHARES = 1024;

/** What the kernel keeps of a limit in bytes: whole pages. */
export const PAGE_BYTES = 4096;

export function wholePages(bytes: number): number {
  return Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES;
}
