import type { DriverName } from "../../domain/function.ts";
import { IsolaError, messageOf } from "../../errors.ts";
import type { Cgroup, CgroupTree } from "../cgroups/cgroup.ts";
import { endGroup } from "../cgroups/end-group.ts";
import type { SandboxMarks } from "../cgroups/sandbox-mark.ts";
import { labels } from "./container-options.ts";
import type { Containers, ListedContainer } from "./containers.ts";

export interface SweepOptions {
  containers: Containers;
  tree: CgroupTree | null;
  marks: SandboxMarks;
  nodeId: string;
  bootId: string;
  /** Of this driver: what another driver has of this life is its own. */
  driver: DriverName;
  /** Whether a sandbox or a start of this life has the container, or the group. */
  isHeld(containerIdOrMark: string): boolean;
  /** Containers and groups of this life that nobody held at the last sweep; changed in place to those of this one. */
  unheld: Set<string>;
}

/**
 * Ends and removes containers of earlier lives of this node, and of this one what nobody holds; then the groups around them. What is in groups is killed first, which
 * needs no engine. Rejects with `driver_unavailable` where the engine does not answer, or when something could not be removed: the rest is.
 */
export async function sweepContainers(options: SweepOptions): Promise<string[]> {
  const { containers, nodeId } = options;
  const all = await groupsOf(options);
  const groups = strayGroups(all, options);
  // What is frozen cannot be ended by the engine.
  for (const { cgroup } of groups) await endGroup(cgroup);
  const listed = await containers.list([`${labels.node}=${nodeId}`]);
  const removed: string[] = [];
  const failures: string[] = [];
  const attempt = async (what: string, work: () => Promise<void> | void) => {
    try {
      await work();
      removed.push(what);
    } catch (error) {
      failures.push(`${what}: ${messageOf(error)}`);
    }
  };
  for (const { id, labels: own } of strayContainers(listed, options))
    await attempt(`container isola.${nodeId}.${own[labels.boot]}.${own[labels.sandbox]}`, () =>
      containers.remove(id),
    );
  for (const { name, cgroup } of groups) await attempt(`cgroup ${name}`, () => cgroup.remove());
  noteUnheld(options, listed, all);
  if (failures.length > 0) throw new IsolaError("driver_unavailable", failures.join("; "));
  return removed;
}

interface Group {
  name: string;
  cgroup: Cgroup;
}

/** Groups of earlier lives, and of this one those around containers of this driver. */
async function groupsOf({ tree, marks, driver }: SweepOptions): Promise<Group[]> {
  const isWanted = (text: string) => {
    const life = marks.lifeOf(text);
    return life === "earlier" || (life === "this" && isMarkOf(driver, text));
  };
  return (await tree?.leftovers(isWanted)) ?? [];
}

/** Of earlier lives, and those of this one that twice nobody held. */
function strayGroups(all: readonly Group[], { marks, isHeld, unheld }: SweepOptions): Group[] {
  return all.filter(
    ({ name }) => marks.lifeOf(name) === "earlier" || (!isHeld(name) && unheld.has(name)),
  );
}

/** The name of a container and of the group around it: apart from those of the sandboxes of other drivers, which lie beside it. */
export function containerMark(marks: SandboxMarks, driver: DriverName, sandboxId: string): string {
  return marks.of(`${driver}-${sandboxId}`);
}

function isMarkOf(driver: DriverName, text: string): boolean {
  return text.split(".").at(-1)?.startsWith(`${driver}-`) === true;
}

/** Those of earlier lives, and those of this one that twice nobody held: late successes of starts that were given up. */
function strayContainers(
  listed: readonly ListedContainer[],
  { bootId, driver, isHeld, unheld }: SweepOptions,
): ListedContainer[] {
  return listed.filter((each) => {
    if (each.labels[labels.boot] !== bootId) return true;
    return each.labels[labels.driver] === driver && !isHeld(each.id) && unheld.has(each.id);
  });
}

function noteUnheld(
  { bootId, marks, isHeld, unheld }: SweepOptions,
  listed: readonly ListedContainer[],
  groups: readonly Group[],
): void {
  const own = listed.filter((each) => each.labels[labels.boot] === bootId).map(({ id }) => id);
  const names = groups.map(({ name }) => name).filter((name) => marks.lifeOf(name) === "this");
  unheld.clear();
  for (const each of [...own, ...names]) if (!isHeld(each)) unheld.add(each);
}
