import { setTimeout as delay } from "node:timers/promises";
import type { Cgroup, CgroupTree } from "../cgroups/cgroup.ts";
import type { SandboxMarks } from "../cgroups/sandbox-mark.ts";
import { KILL_CONFIRM_MS } from "../driver.ts";
import { labels } from "./container-options.ts";
import type { Containers, ListedContainer } from "./containers.ts";

const STEP_MS = 10;

export interface SweepOptions {
  containers: Containers;
  tree: CgroupTree | null;
  marks: SandboxMarks;
  nodeId: string;
  bootId: string;
  /** Whether a sandbox of this life has the container. */
  isHeld(containerId: string): boolean;
  /** Containers of this life that nobody held at the last sweep; changed in place to those of this one. */
  unheld: Set<string>;
}

/** Ends and removes containers of earlier lives of this node, and of this one what nobody holds; then the groups around them. */
export async function sweepContainers(options: SweepOptions): Promise<string[]> {
  const { containers, tree, marks, nodeId } = options;
  const removed: string[] = [];
  const isEarlier = (text: string) => marks.lifeOf(text) === "earlier";
  const groups = (await tree?.leftovers(isEarlier)) ?? [];
  // Before the engine: what is frozen cannot be ended by it.
  for (const { cgroup } of groups) await endGroup(cgroup);
  const listed = await containers.list([`${labels.node}=${nodeId}`]);
  for (const container of strayAmong(listed, options)) {
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

/** Those of earlier lives, and those of this one that twice nobody held: late successes of starts that were given up. */
function strayAmong(
  listed: readonly ListedContainer[],
  { bootId, isHeld, unheld }: SweepOptions,
): ListedContainer[] {
  const isOurs = (each: ListedContainer) => each.labels[labels.boot] === bootId;
  const unheldNow = listed.filter((each) => isOurs(each) && !isHeld(each.id));
  const strays = listed
    .filter((each) => !isOurs(each))
    .concat(unheldNow.filter(({ id }) => unheld.has(id)));
  unheld.clear();
  for (const { id } of unheldNow) unheld.add(id);
  return strays;
}

async function endGroup(cgroup: Cgroup): Promise<void> {
  for (let waitedMs = 0; waitedMs < KILL_CONFIRM_MS; waitedMs += STEP_MS) {
    cgroup.killAll(waitedMs > 0);
    if (cgroup.isEmpty()) return;
    await delay(STEP_MS);
  }
}
