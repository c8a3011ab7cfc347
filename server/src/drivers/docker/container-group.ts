import type { Cgroup } from "../cgroups/cgroup.ts";
import { freezeGroup } from "../cgroups/freeze.ts";
import type { SandboxLimits, SandboxUsage } from "../driver.ts";
import type { Containers } from "./containers.ts";

/** Everything in one container as a whole: what is limited, counted, stopped and killed. */
export interface ContainerGroup {
  /** The engine does the freezing: a pause of the container may be ours. */
  readonly isByEngine: boolean;
  /** Of the container. Rejects when they cannot be put in force. */
  setLimits(limits: SandboxLimits): Promise<void>;
  usage(): Promise<SandboxUsage>;
  /** A process in it was killed for memory. */
  wasKilledForMemory(): boolean;
  /** It has been refused memory at its limit. */
  hasHitMemoryLimit(): boolean;
  /** Resolves with true once all of it stands still; false where a `thaw` came between. */
  freeze(): Promise<boolean>;
  thaw(): Promise<void>;
  /** SIGKILL to all of it, once; what is frozen dies too. */
  kill(isThorough: boolean): Promise<void>;
  isEmpty(): Promise<boolean>;
  /** Removes what was kept for it, once the container is gone. Throws while anything is inside. */
  remove(): void;
}

/**
 * By the kernel directly: a group of ours around the one that the engine makes. What it counts is still there when the container has ended, and it can be written
 * without asking the engine, which takes a hundred times as long.
 */
export function directGroup(outer: Cgroup, inner: Cgroup): ContainerGroup {
  return {
    isByEngine: false,
    async setLimits(limits) {
      for (const group of [outer, inner]) group.setLimits(limits);
    },
    usage: async () => outer.usage(),
    wasKilledForMemory: () => outer.oomKills() > 0 || inner.oomKills() > 0,
    hasHitMemoryLimit: () => outer.hasHitMemoryLimit(),
    freeze: () => freezeGroup(outer),
    thaw: async () => outer.thaw(),
    async kill(isThorough) {
      outer.killAll(isThorough);
      // Where somebody has paused the container, its own group stands still.
      inner.thaw();
    },
    isEmpty: async () => outer.isEmpty(),
    remove: () => outer.remove(),
  };
}

/** By the engine, where its groups cannot be written from here. */
export function engineGroup(containers: Containers, id: string): ContainerGroup {
  let isFrozen = false;
  let isWanted = false;
  return {
    isByEngine: true,
    async setLimits({ memoryBytes, pidsMax }) {
      await containers.update(id, { memoryBytes, pidsMax });
      const now = (await containers.inspect(id))?.HostConfig;
      if (now?.Memory !== memoryBytes || now.PidsLimit !== pidsMax)
        throw new Error(`the engine has ${now?.Memory} bytes and ${now?.PidsLimit} processes`);
    },
    async usage() {
      const { memory_stats: memory, cpu_stats: cpu, pids_stats: pids } = await containers.stats(id);
      return {
        memoryBytes: memory.usage ?? null,
        cpuMicros:
          cpu.cpu_usage?.total_usage === undefined
            ? null
            : Math.round(cpu.cpu_usage.total_usage / 1000),
        pids: pids?.current ?? null,
      };
    },
    wasKilledForMemory: () => false,
    hasHitMemoryLimit: () => false,
    async freeze() {
      isWanted = true;
      await containers.pause(id);
      isFrozen = true;
      if (!isWanted) await containers.unpause(id);
      return isWanted;
    },
    async thaw() {
      isWanted = false;
      if (isFrozen) await containers.unpause(id);
      isFrozen = false;
    },
    async kill(isThorough) {
      if (isFrozen || isThorough) await containers.unpause(id);
      await containers.kill(id);
    },
    async isEmpty() {
      return (await containers.inspect(id))?.State.Running !== true;
    },
    remove: () => {},
  };
}
