import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const CGROUP_DEPTH_MAX = 4;
const SETTLE_MS = 5000;

/** What tests could leave on this machine: sandboxes, servers, cgroups. One line each. */
export function footprint() {
  return new Set([...orphans(), ...cgroups("/sys/fs/cgroup", 0)]);
}

/** What is there now and was not before; kernels take a moment to take cgroups and processes away. */
export async function leaksSince(before, settleMs = SETTLE_MS) {
  for (let waitedMs = 0; ; waitedMs += 100) {
    const left = [...footprint()].filter((line) => !before.has(line));
    if (left.length === 0 || waitedMs >= settleMs) return left;
    await delay(100);
  }
}

/** Sandboxes and servers that nobody owns any more: those of a server that runs beside the tests are its own. */
function orphans() {
  return list("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => isOurs(pid) && isOrphan(pid))
    .map((pid) => `process ${pid} (${read(`/proc/${pid}/comm`).trim()})`);
}

function isOurs(pid) {
  return (
    read(`/proc/${pid}/comm`).trim() === "bwrap" ||
    /server\/src\/(keeper\/)?main\.ts/.test(read(`/proc/${pid}/cmdline`))
  );
}

/** Whether no living Node process, as servers and tests are, stands above it. */
function isOrphan(pid) {
  for (let at = parentOf(pid); at > 1; at = parentOf(at)) if (isNode(at)) return false;
  return true;
}

function isNode(pid) {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)).startsWith("node");
  } catch {
    return false; // the process has ended, or is not ours to look at
  }
}

function parentOf(pid) {
  return Number(/^PPid:\t(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

function cgroups(dir, depth) {
  if (depth > CGROUP_DEPTH_MAX) return [];
  return list(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      if (!entry.name.startsWith("isola")) return cgroups(path, depth + 1);
      return isAbandoned(path) ? [`cgroup ${path}`] : [];
    });
}

/** No process in it has a living server above it. */
function isAbandoned(cgroup) {
  return read(join(cgroup, "cgroup.procs")).split("\n").filter(Boolean).every(isOrphan);
}

function list(dir, options) {
  try {
    return readdirSync(dir, options);
  } catch {
    return []; // not on this system, or gone meanwhile: nothing left there
  }
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process has ended meanwhile
  }
}
