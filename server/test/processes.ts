import { readFileSync } from "node:fs";

/** Children of a process whose command line holds `text`. */
export function childrenOf(pid: number, text: string): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children
    .split(" ")
    .map(Number)
    .filter((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes(text));
}
