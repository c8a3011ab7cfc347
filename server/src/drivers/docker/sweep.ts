import { setTimeout as delay } from "node:timers/promises";
import type { Cgroup, CgroupTree } from "../cgroups/cgroup.ts";
import type { SandboxMarks } from "../cgroups/sandbox-mark.ts";
import { KILL_CONFIRM_MS } from "../driver.ts";
import { labels } from "./container-options.ts";
import type { Containers, ListedContainer } from "./containers.ts";

const STEP_MS = 10;
/** A container of this life that no sandbox has is the late success of a start that was given up, once it is this old. */
const STRAY_MS = 60_000;

export interface SweepOptions {
  containers: Containers;
  tree: CgroupTree | null;
  marks: SandboxMarks;
  nodeId: string;
  bootId: string;
  /** Whether a sandbox of this life has the container. */
  isHeld(containerId: string): boolean;
}

/** Ends and removes containers of earlier lives of this node, and of this one what nobody holds; then the groups around them. */
export async function sweepContainers(options: SweepOptions): Promise<string[]> {
  const { containers, tree, marks, nodeId } = options;
  const removed: string[] = [];
  const isEarlier = (text: string) => marks.lifeOf(text) === "earlier";
  const groups = (await tree?.leftovers(isEarlier)) ?? [];
  // Before the engine: what is frozen cannot be ended by it.
  for (const { cgroup } of groups) await endGroup(cgroup);
  for (const container of await containers.list([`${labels.node}=${nodeId}`])) {
    if (!isStray(container, options)) continue;
    await containers.remove(container.id);
    const { [labels.boot]: boot, [labels.sandbox]: sandbox } = container.labels;
    removed.push(`container isola.${nodeId}.${boot}.${sandbox}`);
  }
  for (const { name, cgroup } of groups) {
    cgroup.remove();
    removed.push(`cgroup ${name}`);
  }
  return removed;
}

function isStray(container: ListedContainer, { bootId, isHeld }: SweepOptions): boolean {
  if (container.labels[labels.boot] !== bootId) return true;
  return !isHeld(container.id) && Date.now() - container.createdAt > STRAY_MS;
}

async function endGroup(cgroup: Cgroup): Promise<void> {
  for (let waitedMs = 0; waitedMs < KILL_CONFIRM_MS; waitedMs += STEP_MS) {
    cgroup.killAll(waitedMs > 0);
    if (cgroup.isEmpty()) return;
    await delay(STEP_MS);
  }
}
