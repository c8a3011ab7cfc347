import { readdirSync, readFileSync } from "node:fs";

/** What /proc says of one process. CPU times are in clock ticks; those of children count the ones that have ended and were waited for. */
export interface ProcessStat {
  pid: number;
  parent: number;
  cpuTicks: number;
  endedChildrenTicks: number;
  /** Start after boot: tells processes apart that had the same pid one after the other. */
  startTicks: number;
}

/** Fields of /proc/<pid>/stat (proc(5)). The command may hold blanks and parentheses, so they are counted after the last one. */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const at = (number: number): number => Number(fields[number - 3]);
  return {
    pid: Number.parseInt(text, 10),
    parent: at(4),
    cpuTicks: at(14) + at(15),
    endedChildrenTicks: at(16) + at(17),
    startTicks: at(22),
  };
}

/**
 * The process and everything below it, and what is in control groups whose path holds `mark`, as containers are nobody's children here; empty when it is gone. Linux
 * only.
 */
export function processTree(rootPid: number, mark: string | null = null): ProcessStat[] {
  const children = new Map<number, ProcessStat[]>();
  const found: ProcessStat[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(name);
    if (stat === null) continue;
    if (stat.pid === rootPid || (mark !== null && isIn(name, mark))) found.push(stat);
    const siblings = children.get(stat.parent) ?? [];
    siblings.push(stat);
    children.set(stat.parent, siblings);
  }
  // The list grows while it is walked, and ends because every process has one parent.
  for (const one of found) found.push(...(children.get(one.pid) ?? []));
  return mark === null ? found : [...new Map(found.map((one) => [one.pid, one])).values()];
}

function isIn(pid: string, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "latin1").includes(mark);
  } catch {
    return false; // it has ended
  }
}

function readStat(pid: string): ProcessStat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    // It ended after the folder was listed.
    return null;
  }
}
