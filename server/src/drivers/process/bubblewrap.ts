import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RuntimeSpec } from "../driver.ts";
import { findProgram } from "../find-program.ts";
import { INSIDE, SHM_BYTES, TASK_BYTES } from "../sandbox-view.ts";
import { hostView, isReachableByAll } from "../../images/host-view.ts";

const QUESTION_TIMEOUT_MS = 5000;
const ETC = fileURLToPath(new URL("etc", import.meta.url));
const etcFiles = ["passwd", "group", "hosts", "nsswitch.conf", "resolv.conf"];
/** Files of `/proc` that tell of the whole machine what no function needs: keys, timers, the moments of interrupts. */
const telltales = ["/proc/keys", "/proc/timer_list", "/proc/interrupts", "/proc/sched_debug"];

/** Processes of bubblewrap itself around each sandbox: its monitor, and the first process of the pid namespace. */
export const PIDS_OVERHEAD = 2;

export interface Bubblewrap {
  path: string;
  version: string;
  canDisableUserNamespaces: boolean;
}

/** The newest-enough bubblewrap of this machine, or why there is none. */
export async function findBubblewrap(): Promise<Bubblewrap | { problem: string }> {
  const path = findProgram("bwrap");
  if (path === null) return { problem: "bubblewrap (bwrap) is not installed" };
  try {
    const run = async (option: string) =>
      (await promisify(execFile)(path, [option], { timeout: QUESTION_TIMEOUT_MS })).stdout;
    const [version, help] = await Promise.all([run("--version"), run("--help")]);
    const number = version.replace("bubblewrap", "").trim();
    if (!/^ *--size\b/m.test(help))
      return { problem: `bubblewrap ${number} cannot limit the size of /tmp; 0.7 or newer can` };
    return { path, version: number, canDisableUserNamespaces: help.includes("--disable-userns") };
  } catch (error) {
    return { problem: `bubblewrap does not run: ${(error as Error).message}` };
  }
}

/** What does not change between sandboxes of one runtime. */
export interface Plan {
  /** Arguments of bubblewrap before the size of `/tmp`, and after it. */
  head: string[];
  tail: string[];
  /** Whether a user without rights can read all that is mounted; otherwise the sandbox must run as the server's own. */
  isReachableByAll: boolean;
}

/** Everything a sandbox of the runtime sees. `wrapper` is a host program that starts the runtime with further limits, and its arguments. */
export function planFor(
  bwrap: Bubblewrap,
  runtime: RuntimeSpec,
  wrapper: { program: string; args: string[] } | null,
): Plan {
  const view = hostView(runtime.needs);
  const isNode = runtime.family === "nodejs";
  const executable = isNode ? `${INSIDE}/bin/node` : runtime.executable;
  const runtimeInside = `${INSIDE}/runtimes/${isNode ? "node" : "python"}`;
  const binds: [string, string][] = [
    [runtime.executable, executable],
    [runtime.runtimeDir, runtimeInside],
    [ETC, `${INSIDE}/etc`],
    ...(runtime.companions ?? []).map(
      ({ from, at }) => [from, join(INSIDE, at)] as [string, string],
    ),
    ...view.binds.map((path) => [path, path] as [string, string]),
  ];
  if (wrapper !== null) binds.push([wrapper.program, `${INSIDE}/bin/limit`]);
  const links = [
    ...view.links,
    ...etcFiles.map((file) => [`${INSIDE}/etc/${file}`, `/etc/${file}`] as [string, string]),
  ];
  return {
    head: [
      ...namespaceArgs(bwrap),
      ...links.flatMap(([target, path]) => ["--symlink", target, path]),
      ...binds.flatMap(([from, at]) => ["--ro-bind", from, at]),
      ...deviceArgs(),
      "--size",
    ],
    tail: [
      ...["--tmpfs", "/tmp", "--size", String(TASK_BYTES), "--tmpfs", "/var/task"],
      ...["--remount-ro", "/", "--chdir", "/tmp", "--"],
      ...(wrapper === null ? [] : [`${INSIDE}/bin/limit`, ...wrapper.args]),
      executable,
      ...runtime.args.map((arg) => arg.replaceAll("{runtime}", runtimeInside)),
    ],
    isReachableByAll: binds.every(([from]) => isReachableByAll(from)),
  };
}

function namespaceArgs(bwrap: Bubblewrap): string[] {
  return [
    ...["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"],
    ...["--unshare-cgroup", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox"],
    ...(bwrap.canDisableUserNamespaces ? ["--disable-userns"] : []),
    ...["--cap-drop", "ALL", "--new-session", "--die-with-parent", "--clearenv"],
    ...[
      "--setenv",
      "ISOLA_CONTROL",
      "fd:3",
      "--setenv",
      "HOME",
      "/tmp",
      "--setenv",
      "MALLOC_ARENA_MAX",
      "1",
    ],
    ...["--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "LANG", "C.UTF-8"],
  ];
}

/** `/proc` is read-only as a whole: settings of its own namespaces and the memory of its first process are not the function's to write. */
function deviceArgs(): string[] {
  const masked = telltales.filter((path) => existsSync(path));
  return [
    ...["--proc", "/proc", ...masked.flatMap((path) => ["--ro-bind", "/dev/null", path])],
    ...["--remount-ro", "/proc"],
    ...["--dev", "/dev", "--size", String(SHM_BYTES), "--tmpfs", "/dev/shm"],
    ...["--remount-ro", "/dev"],
  ];
}
