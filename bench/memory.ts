import { readFileSync } from "node:fs";
import { processTree } from "./process-tree.ts";

/** Sum of the `Private_*` lines of a /proc/<pid>/smaps_rollup, in bytes: what would be free again if the process ended. */
export function parsePrivateBytes(rollup: string): number {
  let bytes = 0;
  for (const [, kib] of rollup.matchAll(/^Private_\w+: +(\d+) kB$/gm)) bytes += Number(kib) * 1024;
  return bytes;
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
