import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { TestServer } from "../harness.ts";
import { eventually } from "../harness.ts";

/** What a data folder holds while a server with no deploy under way runs on it, or after it. */
const expectedFiles = [
  /^(admin-key|node-id|api-url)$/,
  /^isola(-records)?\.db(-wal|-shm)?$/,
  /^artifacts(\/tmp|\/[0-9a-f]{2}(\/[0-9a-f]{64}\.tar)?)?$/,
  /^run(\/(lock\.db|supervisor\.pid|gateway\.pid|control\.pid|gateway\.sock|streams.sock|socket-dir|sandboxes|gvisor|builds|builds-dir))?$/,
  /^gvisor(\/root-[0-9a-f]{16}(\/(image\.erofs|part\.json))?)?$/,
];

/** The pids of the server's own processes, sandboxes not among them: whatever was started with its data folder. */
export function serverPids(server: TestServer): number[] {
  const variable = `ISOLA_DATA=${server.dataDir}`;
  return pids().filter((pid) => textsOf(pid, "environ").includes(variable) && isAlive(pid));
}

/** The process that plays a role; 0 when there is none. */
export function pidOf(server: TestServer, role: "gateway" | "control"): number {
  return serverPids(server).find((pid) => textsOf(pid, "cmdline").includes(role)) ?? 0;
}

/** `R`, `S`, `T` (stopped) ...; null when the process has ended. */
export function stateOf(pid: number): string | null {
  const state = /^State:\t(\w)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? "Z";
  return state === "Z" ? null : state;
}

/** Processes of sandboxes of any life of this server, blank ones among them, by their command line or their control group. A machine of which a snapshot is taken is none. */
export function sandboxPids(server: TestServer): number[] {
  const prefix = `isola.${nodeIdOf(server)}.`;
  const isOurs = (pid: number) => {
    const words = textsOf(pid, "cmdline");
    if (words.some((text) => text.includes(".microvm-template-"))) return false;
    return (
      words.some((text) => text.startsWith(prefix)) ||
      read(`/proc/${pid}/cgroup`).includes(`/${prefix}`)
    );
  };
  return pids().filter((pid) => isAlive(pid) && isOurs(pid));
}

/** What is left of a server that does not run: processes, control groups, mounts, sockets and files that mean nothing. */
export async function assertNothingLeft(server: TestServer): Promise<void> {
  let last: string[] = [];
  await eventually("the end of everything", async () => {
    last = leftOf(server);
    return last.length === 0;
  }).catch(() => {
    throw new Error(`left behind:\n${last.join("\n")}`);
  });
}

function leftOf(server: TestServer): string[] {
  const mark = nodeIdOf(server);
  return [
    ...serverPids(server).map((pid) => `process ${pid}: ${textsOf(pid, "cmdline").join(" ")}`),
    ...sandboxPids(server).map((pid) => `sandbox ${pid}: ${textsOf(pid, "cmdline").join(" ")}`),
    ...cgroupsOf(`isola.${mark}.`),
    ...read("/proc/self/mounts")
      .split("\n")
      .filter((line) => line.includes(mark)),
  ];
}

/** Files in the data folder that no running or ended server should leave there. */
export function strayFiles(server: TestServer): string[] {
  const names = readdirSync(server.dataDir, { recursive: true }).map(String);
  return names.filter((name) => !expectedFiles.some((pattern) => pattern.test(name)));
}

/** Digests of the artifacts on the disk. */
export function artifactsOn(server: TestServer): string[] {
  const names = readdirSync(join(server.dataDir, "artifacts"), { recursive: true }).map(String);
  return names.flatMap((name) => /([0-9a-f]{64})\.tar$/.exec(name)?.[1] ?? []).toSorted();
}

/** Control groups of lives of this server that have ended: the running one has its own. */
export function cgroupsOf(prefix: string, dir = "/sys/fs/cgroup", depth = 0): string[] {
  if (depth > 4) return [];
  return list(dir).flatMap((name) => {
    const path = join(dir, name);
    if (name.startsWith(prefix)) return [`cgroup ${path}`];
    return isFolder(path) ? cgroupsOf(prefix, path, depth + 1) : [];
  });
}

export function nodeIdOf(server: TestServer): string {
  return read(join(server.dataDir, "node-id")).trim();
}

function pids(): number[] {
  return list("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function isAlive(pid: number): boolean {
  return stateOf(pid) !== null;
}

function textsOf(pid: number, file: "cmdline" | "environ"): string[] {
  return read(`/proc/${pid}/${file}`).split("\0");
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // it has gone
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return []; // it has gone, or is none
  }
}

/** Empty for what has gone. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
