import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, readdir, readlink } from "node:fs/promises";
import { promisify } from "node:util";

const ANCESTORS_MAX = 100;
const PS_TIMEOUT_MS = 2000;
const isLinux = process.platform === "linux";

export interface ProcessRow {
  pid: number;
  ppid: number;
  /** Private and shared memory of its own, without files. */
  memoryBytes: number;
}

/** The ids of a process and of all that it descends from, nearest first; empty when it is gone. */
export function ancestorsOf(pid: number): number[] {
  const found: number[] = [];
  for (let at = pid; at > 0 && found.length < ANCESTORS_MAX; ) {
    const parent = parentOf(at);
    if (parent === null) break;
    found.push(at);
    at = parent;
  }
  return found;
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null; // it has ended
  }
}

/** Every process of the machine that this one may look at. */
export async function readProcesses(): Promise<ProcessRow[]> {
  if (!isLinux) return await readProcessesByPs();
  const rows: ProcessRow[] = [];
  for (const pid of await pidsOfMachine()) {
    const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => ""); // it has ended
    if (status === "") continue;
    const field = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    const memoryBytes = (field("RssAnon") + field("RssShmem") + field("VmSwap")) * 1024;
    rows.push({ pid, ppid: field("PPid"), memoryBytes });
  }
  return rows;
}

async function readProcessesByPs(): Promise<ProcessRow[]> {
  const { stdout } = await promisify(execFile)("ps", ["-axo", "pid=,ppid=,rss="], {
    timeout: PS_TIMEOUT_MS,
    maxBuffer: 8 * 1024 * 1024,
  });
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [pid = 0, ppid = 0, kib = 0] = line.trim().split(/\s+/).map(Number);
      return { pid, ppid, memoryBytes: kib * 1024 };
    });
}

/** A process and everything that descends from it. */
export function treeOf(root: number, rows: ProcessRow[]): ProcessRow[] {
  const children = Map.groupBy(rows, (row) => row.ppid);
  const tree = rows.filter((row) => row.pid === root);
  for (const row of tree) tree.push(...(children.get(row.pid) ?? []));
  return tree;
}

async function pidsOfMachine(): Promise<number[]> {
  const names = await readdir("/proc");
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Where a mark stands: among the arguments, in the environment a program was started with, or in the path of the working folder. */
export type MarkPlace = "cmdline" | "environ" | "cwd";

/** Living processes with a text in `places` for which `accepts` is true, with that text. Linux only; elsewhere none are found. */
export async function findMarked(
  accepts: (text: string) => boolean,
  places: readonly MarkPlace[] = ["cmdline", "environ", "cwd"],
): Promise<{ pid: number; mark: string }[]> {
  if (!isLinux) return [];
  const found: { pid: number; mark: string }[] = [];
  for (const pid of await pidsOfMachine()) {
    if (pid === process.pid) continue;
    for (const place of places) {
      const mark = (await textsOf(pid, place)).find(accepts);
      if (mark === undefined) continue;
      found.push({ pid, mark });
      break;
    }
  }
  return found;
}

/** Nothing for a process that has ended, or is another user's. */
async function textsOf(pid: number, place: MarkPlace): Promise<string[]> {
  const path = `/proc/${pid}/${place}`;
  if (place === "cwd") return (await readlink(path).catch(() => "")).split("/"); // see above
  return (await readFile(path, "latin1").catch(() => "")).split("\0"); // see above
}
