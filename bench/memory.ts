import { readFileSync, readdirSync } from "node:fs";
import { processTree } from "./process-tree.ts";

/** Sum of the `Private_*` lines of a /proc/<pid>/smaps_rollup, in bytes: what would be free again if the process ended. */
export function parsePrivateBytes(rollup: string): number {
  let bytes = 0;
  for (const [, kib] of rollup.matchAll(/^Private_\w+: +(\d+) kB$/gm)) bytes += Number(kib) * 1024;
  return bytes;
}

/** What the kernel charges to the control groups whose path holds `mark`, in bytes: also what belongs to no process alone. 0 where they cannot be read. */
export function chargedBytesOf(mark: string): number {
  const folders = new Set<string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const folder = memoryGroupOf(readOr(`/proc/${pid}/cgroup`), mark);
    if (folder !== null) folders.add(folder);
  }
  let bytes = 0;
  for (const folder of folders)
    bytes += Number(
      readOr(`/sys/fs/cgroup/memory${folder}/memory.usage_in_bytes`) ||
        readOr(`/sys/fs/cgroup${folder}/memory.current`),
    );
  return bytes;
}

/** Of a /proc/<pid>/cgroup: the group that has the mark in its name, not those inside it; null where the process is in none. */
export function memoryGroupOf(text: string, mark: string): string | null {
  const [, path] = /^\d+:(?:[^:\n]*\bmemory\b[^:\n]*)?:(.*)$/m.exec(text) ?? [];
  const at = path?.indexOf(mark) ?? -1;
  if (path === undefined || at === -1) return null;
  const end = path.indexOf("/", at + mark.length);
  return end === -1 ? path : path.slice(0, end);
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return ""; // it has ended, or the other version of control groups is here
  }
}

/** Private bytes of all processes that `processTree` finds whose command line `isCounted`. */
export function privateBytesOf(
  { rootPid, mark }: { rootPid: number; mark?: string },
  isCounted: (command: string) => boolean,
): { bytes: number; processes: number } {
  let bytes = 0;
  let processes = 0;
  for (const { pid } of processTree(rootPid, mark)) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      if (!isCounted(command)) continue;
      bytes += parsePrivateBytes(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
      processes++;
    } catch (error) {
      // It ended meanwhile; anything else, such as a lack of permission, would make the sum a lie.
      if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  return { bytes, processes };
}
