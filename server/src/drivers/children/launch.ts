import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { StreamName } from "../driver.ts";
import { fixedLimits } from "../../domain/limits.ts";

const CORE_BYTES_MAX = 0;
export const FILTER_FD = 4;

export interface LaunchOptions {
  /** Program and arguments that become the sandbox. */
  command: string[];
  env: Record<string, string>;
  /** Descriptors of a cgroup to enter first; they are closed by `launch`. At most 5, as a shell knows descriptors of one digit only. */
  entries: number[];
  /** What the command reads from descriptor `FILTER_FD`; null: it has no such descriptor. */
  filter: Uint8Array | null;
  /** User id of the host; null: the server's own. */
  hostUser: number | null;
  /** Most processes and threads of `hostUser`; null: not limited here. */
  processesMax: number | null;
  /** Most open files of the command; left out: a function's. */
  openFilesMax?: number;
  /** Working folder and process group of its own, for a child without namespaces. */
  isGroupLeader: boolean;
  cwd: string;
  /** The sandbox's ends of its streams; they become descriptors 1, 2 and `controlFd`, and are closed here. */
  streams: LaunchStreams;
  /** Left out: 3. */
  controlFd?: 0;
  /** They are not closed here: another command may get them too. */
  keepsStreams?: boolean;
}

/** `pipe`: the caller reads it from the child. */
export type LaunchStreams = Record<StreamName, Socket | "pipe" | "ignore">;

/**
 * Starts the command with its resource limits, inside its cgroup, before any of it runs: a shell sets both upon itself and then becomes the command. A limit that
 * cannot be set ends it (status 96). Throws when no process can be made; a program that is missing is told by the child's `error` event.
 */
export function launch(options: LaunchOptions): ChildProcess {
  const { entries, filter, hostUser, streams } = options;
  try {
    const user = hostUser === null ? {} : { uid: hostUser, gid: hostUser };
    const child = spawn("/bin/sh", ["-c", script(options), "sh", ...options.command], {
      stdio: [
        "ignore",
        streams.stdout,
        streams.stderr,
        streams.control,
        ...(filter === null ? [] : ["pipe" as const]),
        ...entries,
      ],
      env: options.env,
      cwd: options.cwd,
      detached: options.isGroupLeader,
      ...user,
    });
    child.on("error", () => {
      // Told by the exit event that never comes: see `pid`, which is undefined then.
    });
    if (filter !== null) give(child.stdio[FILTER_FD] as Duplex, filter);
    return child;
  } finally {
    for (const descriptor of entries) closeSync(descriptor);
    if (options.keepsStreams !== true) closeStreams(streams);
  }
}

/** This process's copies. */
export function closeStreams(streams: LaunchStreams): void {
  for (const stream of Object.values(streams)) if (typeof stream !== "string") stream.destroy();
}

function give(stream: Duplex, bytes: Uint8Array): void {
  stream.on("error", () => {
    // The command has ended before it read everything, and its exit says so.
  });
  stream.end(bytes);
}

/** `-p` is the process limit of dash and busybox, `-u` that of others; the wrong one fails, and so does the start. */
function script({
  entries,
  filter,
  processesMax,
  openFilesMax = fixedLimits.openFilesMax,
  controlFd,
}: LaunchOptions): string {
  const steps = [`ulimit -c ${CORE_BYTES_MAX}`, `ulimit -n ${openFilesMax}`];
  if (processesMax !== null)
    steps.push(`{ ulimit -u ${processesMax} 2>&- || ulimit -p ${processesMax}; }`);
  const numbers = entries.map((_, at) => (filter === null ? 4 : FILTER_FD + 1) + at);
  steps.push(...numbers.map((number) => `echo 0 >&${number}`));
  const closing = numbers.map((number) => `${number}>&-`).join(" ");
  const moving = controlFd === 0 ? "<&3 3<&-" : "";
  return `${steps.join(" && ")} || exit 96; exec "$@" ${moving} ${closing}`;
}
