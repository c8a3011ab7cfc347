import { randomBytes } from "node:crypto";
import { dockerSettings } from "../../testing/docker-settings.ts";
import { findCgroups } from "../../cgroups/find-cgroups.ts";
import { labels } from "../container-options.ts";
import { Containers } from "../containers.ts";
import { examine } from "../probe.ts";

/** The engine of the environment. */
export const containers = new Containers(dockerSettings.dockerHost);
export const machine = await examine(containers);

/** Why tests of the docker driver cannot run here; false where they can. On CI they have to: there the tests themselves say what is missing. */
export const skipDocker: string | false =
  machine.problems.length > 0 && process.env.CI === undefined ? machine.problems.join("; ") : false;

/** A node of this test alone. */
export function newNodeId(): string {
  return `test-${process.pid}-${randomBytes(4).toString("hex")}`;
}

/** What there is of a node: control groups, containers, and as processes those that run; each by its mark. */
export async function tracesOf(nodeId: string): Promise<string[]> {
  const isOurs = (text: string) => text.includes(`isola.${nodeId}.`);
  const groups = (await findCgroups("root").tree?.leftovers(isOurs)) ?? [];
  const found = await containers.list([`${labels.node}=${nodeId}`]);
  return [
    ...groups.map(({ name }) => `cgroup ${name}`),
    ...found.map((each) => {
      const mark = `isola.${nodeId}.${each.labels[labels.boot]}.${each.labels[labels.sandbox]}`;
      return `${each.isRunning ? "process" : "container"} ${mark}`;
    }),
  ];
}

/** The container of a sandbox. */
export async function containerOf(sandboxId: string): Promise<string> {
  const [found] = await containers.list([`${labels.sandbox}=${sandboxId}`]);
  if (found === undefined) throw new Error(`${sandboxId} has no container`);
  return found.id;
}
