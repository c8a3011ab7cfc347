import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { askEngine, ownEngine, remainsOf } from "./own-engine.mjs";

const CGROUP_DEPTH_MAX = 4;
const SETTLE_MS = 5000;

/** What tests could leave on this machine: sandboxes, servers, cgroups, network interfaces, parts of our Docker Engine. One line each. */
export function footprint() {
  const engine = remainsOf(ownEngine());
  return new Set([...orphans(), ...cgroups("/sys/fs/cgroup", 0), ...interfaces(), ...engine]);
}

/** What tests could leave in a Docker Engine: containers, networks and volumes with a label of ours, images with a name or label of ours. One line each. */
export async function engineFootprint(host) {
  const ask = async (path) => (await askEngine(host, "GET", path)).json ?? [];
  const isOurs = ({ Labels }) =>
    Object.keys(Labels ?? {}).some((key) => key.startsWith("io.isola."));
  const containers = (await ask("/containers/json?all=1")).filter(isOurs);
  const networks = (await ask("/networks")).filter(isOurs);
  const volumes = ((await ask("/volumes")).Volumes ?? []).filter(isOurs);
  const images = (await ask("/images/json")).filter(isOurs);
  return new Set([
    ...containers.map(({ Id, Names }) => `container ${Id.slice(0, 12)} (${Names.join(" ")})`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...volumes.map(({ Name }) => `volume ${Name}`),
    ...images.flatMap(({ Id, RepoTags }) => (RepoTags ?? [Id]).map((name) => `image ${name}`)),
  ]);
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
      if (entry.name.startsWith("isola-engine-")) return []; // of an engine: told where that is ours
      if (!entry.name.startsWith("isola")) return cgroups(path, depth + 1);
      return isAbandoned(path) ? [`cgroup ${path}`] : [];
    });
}

/** No process in it has a living server above it. */
function isAbandoned(cgroup) {
  return read(join(cgroup, "cgroup.procs")).split("\n").filter(Boolean).every(isOrphan);
}

/** Bridges of ours. */
function interfaces() {
  return list("/sys/class/net")
    .filter((name) => name.startsWith("isola"))
    .map((name) => `network interface ${name}`);
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
