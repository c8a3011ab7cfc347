import { readFileSync, readdirSync } from "node:fs";

/** Living children of a process whose command line holds `text`. */
export function childrenOf(pid: number, text: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((entry) => {
      try {
        const parent = /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${entry}/status`, "utf8"))?.[1];
        return Number(parent) === pid && readFileSync(`/proc/${entry}/cmdline`, "utf8").includes(text);
      } catch {
        return false; // it has ended
      }
    });
}
