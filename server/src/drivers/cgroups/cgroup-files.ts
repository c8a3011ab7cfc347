import { readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";

const WALK_FOLDERS_MAX = 20_000;
const WALK_DEPTH_MAX = 8;

/** The text of a cgroup file without its line feed. */
export function readText(path: string): string {
  return readFileSync(path, "latin1").trim();
}

export function readNumber(path: string): number {
  return Number(readText(path));
}

/** The number after `key` in a file of `key value` lines; 0 where there is none. */
export function readKeyed(path: string, key: string): number {
  const line = readText(path)
    .split("\n")
    .find((each) => each.startsWith(`${key} `));
  return line === undefined ? 0 : Number(line.slice(key.length + 1));
}

export function write(path: string, value: string | number): void {
  writeFileSync(path, String(value));
}

/** Process ids in a group; none when the group is gone. */
export function pidsIn(folder: string): number[] {
  try {
    return readText(join(folder, "cgroup.procs")).split("\n").filter(Boolean).map(Number);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Process ids in a group and in the groups inside it. */
export function pidsBelow(folder: string): number[] {
  const inside = foldersIn(folder).flatMap((name) => pidsBelow(join(folder, name)));
  return [...pidsIn(folder), ...inside];
}

/** SIGKILL; a process that has already ended is what was wanted. */
export function killPid(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The group no longer exists: its folder is missing, or was removed while it was read. */
export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENODEV";
}

/** Removes a group with the groups inside it. Throws (`EBUSY`) while a process is in one of them. */
export function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (isGone(error)) return;
    const { code } = error as NodeJS.ErrnoException;
    const inside = code === "EBUSY" || code === "ENOTEMPTY" ? foldersIn(folder) : [];
    if (inside.length === 0) throw error;
    for (const each of inside) removeFolder(join(folder, each));
    removeFolder(folder);
  }
}

/** None when the group is gone. */
function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Folders below `root` whose name `accepts`, breadth first, at most 20,000 folders and 8 levels. */
export async function findFolders(root: string, accepts: (name: string) => boolean) {
  const found: string[] = [];
  let level = [root];
  let seen = 0;
  for (let depth = 0; depth < WALK_DEPTH_MAX && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const folder of level) {
      seen += 1;
      if (seen > WALK_FOLDERS_MAX) return found;
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []); // removed meanwhile, or not ours to see
      const inside = entries.filter((entry) => entry.isDirectory());
      next.push(...inside.map((entry) => join(folder, entry.name)));
    }
    found.push(...next.filter((folder) => accepts(basename(folder))));
    level = next.filter((folder) => !accepts(basename(folder)));
  }
  return found;
}
