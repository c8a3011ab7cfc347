import { accessSync, constants, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../../errors.ts";
import { pidsIn, readText, removeFolder, write } from "./cgroup-files.ts";
import { CgroupTreeV1 } from "./cgroup-v1.ts";
import { CgroupTreeV2 } from "./cgroup-v2.ts";
import type { CgroupTree } from "./cgroup.ts";
import { ancestorsOf } from "./process-table.ts";

export type CgroupsFound = { tree: CgroupTree } | { tree: null; problem: string };

const needed = ["memory", "pids"];
const wanted = ["memory", "pids", "cpu", "cpuacct", "freezer"];
/** The server's own leaf where its group had to be emptied first (version 2 allows no processes beside sub-groups). */
const SERVER_LEAF = "isola-server";

interface Mount {
  /** The part of the hierarchy that is mounted. */
  root: string;
  mountPoint: string;
  type: string;
  options: string[];
}

/** `own`: below the group of this process. `root`: below the root of every hierarchy, so that the path is the same in all of them and for every process. */
export type CgroupPlace = "own" | "root";

/** Finds where this process may make control groups with memory and process limits. Makes and removes one to be sure. */
export function findCgroups(place: CgroupPlace = "own"): CgroupsFound {
  if (process.platform !== "linux") return { tree: null, problem: "control groups need Linux" };
  try {
    const mounts = readMounts();
    const tree = findV2(mounts, place) ?? findV1(mounts, place);
    if (tree === null)
      return { tree, problem: "no memory and pids controllers are mounted for this process" };
    tree.create(`isola-try-${process.pid}`).remove();
    return { tree };
  } catch (error) {
    return { tree: null, problem: messageOf(error) };
  }
}

function readMounts(): Mount[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n");
  return lines.map((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", mountPoint = ""] = before.split(" ");
    const [type = "", , options = ""] = after.split(" ");
    return { root, mountPoint, type, options: options.split(",") };
  });
}

/** This process's group in the hierarchy of `controller`, or of version 2 with "". */
function ownGroup(controller: string): string {
  for (const line of readFileSync("/proc/self/cgroup", "utf8").split("\n")) {
    const [, controllers = "", ...path] = line.split(":");
    if (controllers.split(",").includes(controller)) return path.join(":");
  }
  return "/";
}

function folderOf(mount: Mount, group: string): string {
  const inside =
    mount.root !== "/" && group.startsWith(mount.root) ? group.slice(mount.root.length) : group;
  return join(mount.mountPoint, inside);
}

function findV1(mounts: Mount[], place: CgroupPlace): CgroupTree | null {
  const hierarchies = mounts
    .filter((mount) => mount.type === "cgroup")
    .map((mount) => ({ mount, controllers: wanted.filter((each) => mount.options.includes(each)) }))
    .filter(({ controllers }) => controllers.length > 0)
    .map(({ mount, controllers }) => ({
      controllers,
      mountPoint: mount.mountPoint,
      parent:
        place === "root" ? mount.mountPoint : folderOf(mount, ownGroup(controllers[0] as string)),
    }));
  const found = hierarchies.flatMap((each) => each.controllers);
  if (!needed.every((controller) => found.includes(controller))) return null;
  const used = hierarchies.map(({ mountPoint }) => mountPoint);
  const all = mounts.filter(({ type }) => type === "cgroup" || type === "cgroup2");
  const others = all.map(({ mountPoint }) => mountPoint).filter((each) => !used.includes(each));
  return new CgroupTreeV1(hierarchies, place === "root" ? others : []);
}

function findV2(mounts: Mount[], place: CgroupPlace): CgroupTree | null {
  const mount = mounts.find((each) => each.type === "cgroup2");
  if (mount === undefined) return null;
  const own = folderOf(mount, ownGroup(""));
  const home = own.endsWith(`/${SERVER_LEAF}`) ? dirname(own) : own;
  if (!needed.every((each) => words(join(mount.mountPoint, "cgroup.controllers")).includes(each))) {
    // With cgroup namespaces the mount's own root need not list them, but then the server's group does.
    if (!needed.every((each) => words(join(home, "cgroup.controllers")).includes(each)))
      return null;
  }
  const candidates = place === "root" ? [mount.mountPoint] : [home, mount.mountPoint];
  const parent = candidates.find((folder) => handsDown(folder));
  if (parent === undefined)
    throw new Error(
      `${home} is not delegated to this process (systemd: Delegate=yes in the unit of Isola)`,
    );
  const controllers = wanted.filter((each) =>
    words(join(parent, "cgroup.subtree_control")).includes(each),
  );
  return new CgroupTreeV2({ mountPoint: mount.mountPoint, parent, controllers });
}

/** Makes a folder hand down the controllers. False where this is not permitted, or would move processes that are not the server's own. */
function handsDown(folder: string): boolean {
  const control = join(folder, "cgroup.subtree_control");
  try {
    accessSync(folder, constants.W_OK);
    const isOn = () => needed.every((each) => words(control).includes(each));
    if (!isOn() && !enable(folder, control) && moveServerToLeaf(folder)) enable(folder, control);
    return isOn();
  } catch {
    return false; // not ours; the caller tries the next place and reports when there is none
  }
}

function enable(folder: string, control: string): boolean {
  const offered = words(join(folder, "cgroup.controllers"));
  try {
    write(control, needed.map((each) => `+${each}`).join(" "));
    if (offered.includes("cpu")) write(control, "+cpu");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBUSY") return false;
    throw error;
  }
}

/** Moves all processes of a service's group to a leaf, when they are the server's own: this one, those that started it, and their children. */
function moveServerToLeaf(folder: string): boolean {
  const inside = pidsIn(folder);
  const family = new Set(ancestorsOf(process.pid).filter((pid) => inside.includes(pid)));
  const isOurs = (pid: number) => ancestorsOf(pid).some((each) => each !== 1 && family.has(each));
  const isService = folder.endsWith(".service") || family.has(1);
  if (!isService || !inside.every((pid) => family.has(pid) || isOurs(pid))) return false;
  const leaf = join(folder, SERVER_LEAF);
  mkdirSync(leaf, { recursive: true });
  for (const pid of inside) write(join(leaf, "cgroup.procs"), pid);
  if (pidsIn(folder).length === 0) return true;
  removeFolder(leaf);
  return false;
}

function words(file: string): string[] {
  return readText(file).split(" ");
}
