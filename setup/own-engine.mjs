import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { root } from "./pinned-node.mjs";

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 20_000;
const KILL_MS_MAX = 5000;
const ASK_MS_MAX = 5000;
const CGROUP_DEPTH_MAX = 4;
export const BY_HAND = "by hand";

/**
 * A Docker Engine of this checkout, apart from any other of the machine. It has a network of its own, so that it makes no bridge and no firewall rule on the
 * host; slirp4netns leads out of it, where 10.0.2.2 is the loopback of the host. Its mounts are its own too, and its containers are in one cgroup.
 */
export function ownEngine(rootDir = root) {
  const id = createHash("sha256").update(rootDir).digest("hex").slice(0, 8);
  // Sockets have to have short paths.
  const runDir = `/run/isola-engine-${id}`;
  return {
    id,
    runDir,
    dataDir: join(rootDir, ".cache", "docker"),
    host: `unix://${runDir}/docker.sock`,
    cgroup: `isola-engine-${id}`,
    logPath: join(runDir, "dockerd.log"),
  };
}

/** Asks the engine at `unix:///path`, `tcp://host:port` or `http://host:port`. Resolves with status and JSON; rejects where nothing answers in time. */
export function askEngine(host, method, path, timeoutMs = ASK_MS_MAX) {
  return new Promise((resolve, reject) => {
    const asked = request({ ...placeOf(host), method, path, timeout: timeoutMs }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, json: parse(text) }));
    });
    asked.on("timeout", () => asked.destroy(new Error(`${host} does not answer`)));
    asked.on("error", reject);
    asked.end();
  });
}

function placeOf(host) {
  const path = /^(?:unix:\/\/)?(\/.*)$/.exec(host)?.[1];
  if (path !== undefined) return { socketPath: path };
  const url = new URL(host);
  return { host: url.hostname, port: url.port || 2375 };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not every answer is JSON
  }
}

/** Whether an engine answers there. */
export async function answers(host, timeoutMs = ASK_MS_MAX) {
  try {
    return (await askEngine(host, "GET", "/_ping", timeoutMs)).status === 200;
  } catch {
    return false; // nobody there, or nobody who answers
  }
}

/**
 * Whose it is to stop: of the process that has taken it, while that lives; `by hand` belongs to nobody, so that it goes on. Resolves with whether it is this
 * process's now, which it is also where an earlier run was killed.
 */
export function takeEngine({ runDir }, owner = lifeOf(process.pid)) {
  const path = join(runDir, "owner");
  const other = read(path);
  const isHeld = other === BY_HAND || (other !== "" && other === lifeOf(other.split(" ")[0]));
  if (isHeld && other !== owner && owner !== BY_HAND) return false;
  writeFileSync(path, owner);
  return true;
}

/** Starts it. Resolves once it answers; otherwise rejects with the last lines of its log, and nothing is left. */
export async function startEngine(engine = ownEngine()) {
  await stopEngine(engine);
  mkdirSync(engine.runDir, { recursive: true, mode: 0o700 });
  mkdirSync(engine.dataDir, { recursive: true });
  const pid = startDetached(engine, "unshare", [
    ...["--mount", "--net", "--propagation", "slave", "sh", "-c"],
    'ip link set lo up && exec "$0" "$@"',
    ...["dockerd", "--data-root", engine.dataDir, "--exec-root", join(engine.runDir, "exec")],
    ...["--pidfile", join(engine.runDir, "dockerd.pid"), "--host", engine.host],
    ...["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", `/${engine.cgroup}`],
    ...["--bridge", "none"],
  ]);
  const until = Date.now() + START_MS_MAX;
  while (!(await answers(engine.host))) {
    if (Date.now() > until || !isAlive(pid)) {
      const log = readFileSync(engine.logPath, "utf8").trim().split("\n").slice(-5).join("\n  ");
      await stopEngine(engine);
      throw new Error(`dockerd does not start:\n  ${log}`);
    }
    await delay(100);
  }
  startDetached(engine, "slirp4netns", ["--configure", "--mtu=65520", String(pid), "tap0"]);
  await clear(engine);
}

/** What an earlier life has left: its containers, networks and volumes, not its images. */
async function clear({ host }) {
  const { json } = await askEngine(host, "GET", "/containers/json?all=1");
  for (const { Id } of json ?? []) await askEngine(host, "DELETE", `/containers/${Id}?force=1&v=1`);
  for (const kind of ["networks", "volumes"]) await askEngine(host, "POST", `/${kind}/prune`);
}

function startDetached({ logPath, runDir }, command, args) {
  const log = openSync(logPath, "a");
  // Its name in its environment is how `processesOf` finds it and what it starts.
  const env = { ...process.env, ISOLA_ENGINE: runDir };
  const child = spawn(command, args, { detached: true, stdio: ["ignore", log, log], env });
  closeSync(log);
  child.on("error", () => {}); // told by the engine that does not answer
  child.unref();
  return child.pid;
}

/** Ends it and all it has started, and removes what it has on this machine but its images. Resolves when nothing of it is left. */
export async function stopEngine(engine = ownEngine()) {
  // Otherwise it would ask the processes of each container first, and wait for them. Where it cannot any more, they are ended below.
  if (await answers(engine.host)) await clear(engine).catch(() => {});
  const dockerd = Number(read(join(engine.runDir, "dockerd.pid")));
  if (dockerd > 0 && processesOf(engine).includes(dockerd)) {
    signal(dockerd, "SIGTERM");
    await waitUntil(() => !isAlive(dockerd), STOP_MS_MAX);
  }
  await waitUntil(() => {
    const left = processesOf(engine);
    for (const pid of left) signal(pid, "SIGKILL");
    return left.length === 0;
  }, KILL_MS_MAX);
  await waitUntil(() => removeCgroups(engine), KILL_MS_MAX);
  rmSync(engine.runDir, { recursive: true, force: true });
}

/** What is there of an engine and is gone once it has been stopped, one line each. */
export function remainsOf(engine) {
  const mounts = read("/proc/self/mounts")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(engine.runDir) || path.startsWith(engine.dataDir));
  return [
    ...processesOf(engine).map((pid) => `process ${pid} (${read(`/proc/${pid}/comm`).trim()})`),
    ...mounts.map((path) => `mount ${path}`),
    ...cgroupsOf(engine).map((path) => `cgroup ${path}`),
  ];
}

/** Of the engine itself (dockerd, containerd, its shims, slirp4netns) and of its containers, wherever their cgroups are. */
function processesOf(engine) {
  const mark = `ISOLA_ENGINE=${engine.runDir}`;
  const all = list("/proc").filter((name) => /^\d+$/.test(name));
  const isMarked = (pid) => read(`/proc/${pid}/environ`).split("\0").includes(mark);
  const inCgroup = cgroupsOf(engine).flatMap((path) =>
    read(join(path, "cgroup.procs")).split("\n"),
  );
  const found = new Set([...all.filter(isMarked), ...inCgroup.filter(Boolean)]);
  const parents = new Map(all.map((pid) => [pid, parentOf(pid)]));
  for (let before = -1; found.size !== before; ) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found].filter(isAlive).map(Number);
}

function parentOf(pid) {
  return /^PPid:\t(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? "0";
}

/** Deepest first. */
function cgroupsOf({ cgroup }) {
  const tops = [
    "/sys/fs/cgroup",
    ...list("/sys/fs/cgroup").map((name) => `/sys/fs/cgroup/${name}`),
  ];
  return tops.map((top) => join(top, cgroup)).flatMap((path) => treeOf(path, 0));
}

function treeOf(path, depth) {
  if (depth > CGROUP_DEPTH_MAX || read(join(path, "cgroup.procs"), null) === null) return [];
  return [...list(path).flatMap((name) => treeOf(join(path, name), depth + 1)), path];
}

function removeCgroups(engine) {
  for (const path of cgroupsOf(engine)) {
    try {
      rmdirSync(path);
    } catch {
      // a process in it has not quite gone: tried again
    }
  }
  return cgroupsOf(engine).length === 0;
}

/** The id and start of a process: another that gets its id later is another life. Empty where there is none. */
export function lifeOf(pid) {
  const [, startedAt] = /\)(?: \S+){19} (\d+)/s.exec(read(`/proc/${pid}/stat`)) ?? [];
  return startedAt === undefined || !isAlive(pid) ? "" : `${pid} ${startedAt}`;
}

function isAlive(pid) {
  const state = /^\d+ \(.*\) (\w)/s.exec(read(`/proc/${pid}/stat`))?.[1];
  return state !== undefined && state !== "Z" && state !== "X";
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended meanwhile
  }
}

async function waitUntil(isDone, timeoutMs) {
  const until = Date.now() + timeoutMs;
  while (!isDone() && Date.now() < until) await delay(50);
}

function list(dir) {
  try {
    return readdirSync(dir);
  } catch {
    return []; // gone meanwhile, or no folder
  }
}

function read(path, absent = "") {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return absent; // gone meanwhile, or not ours to look at
  }
}
