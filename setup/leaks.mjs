import { readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const CGROUP_DEPTH_MAX = 4;
const SETTLE_MS = 5000;

/** What tests could leave on this machine: sandboxes, their cgroups, temporary folders. One line each. */
export function footprint() {
  return new Set([...sandboxProcesses(), ...cgroups("/sys/fs/cgroup", 0), ...temporaryFiles()]);
}

/** What is there now and was not before; kernels take a moment to take cgroups and processes away. */
export async function leaksSince(before, settleMs = SETTLE_MS) {
  for (let waitedMs = 0; ; waitedMs += 100) {
    const left = [...footprint()].filter((line) => !before.has(line));
    if (left.length === 0 || waitedMs >= settleMs) return left;
    await delay(100);
  }
}

function sandboxProcesses() {
  return list("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => read(`/proc/${pid}/comm`).trim() === "bwrap")
    .map((pid) => `process ${pid} (bwrap)`);
}

function cgroups(dir, depth) {
  if (depth > CGROUP_DEPTH_MAX) return [];
  return list(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      return entry.name.startsWith("isola") ? [`cgroup ${path}`] : cgroups(path, depth + 1);
    });
}

function temporaryFiles() {
  return list(tmpdir())
    .filter((name) => name.startsWith("isola-"))
    .map((name) => `file ${join(tmpdir(), name)}`);
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
