import { readFileSync, readdirSync } from "node:fs";

/** Living children of a process with the argument `text`, or a path that ends with it. */
export function childrenOf(pid: number, text: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((entry) => {
      try {
        const parent = /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${entry}/status`, "utf8"))?.[1];
        const argv = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
        return (
          Number(parent) === pid && argv.some((each) => each === text || each.endsWith(`/${text}`))
        );
      } catch {
        return false; // it has ended
      }
    });
}
