import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { Socket } from "node:net";

const CORE_BYTES_MAX = 0;
const OPEN_FILES_MAX = 1024;
/** Behind those of control groups, of which a shell can write the ones with one digit only. */
export const FIRST_GIVEN_FD = 9;
const ENTRIES_FROM_FD = 3;

export interface VmmLaunch {
  /** Program and arguments that become the VMM. */
  command: readonly string[];
  /** As `MachineSpec.entries`. */
  entries: readonly number[];
  /** User and group of the host; null: the server's own. */
  user: { uid: number; gid: number } | null;
  /**
   * What becomes descriptor `FIRST_GIVEN_FD` and those after it: a connected socket, an open file, or `pipe`, a socket whose other end is in `stdio` of the child. Sockets and files
   * are closed here.
   */
  given: readonly (Socket | number | "pipe")[];
}

/**
 * Starts the program inside its control groups before any of it runs: a shell enters them and then becomes the program. Descriptors 1 and 2 are sockets to this
 * process. Throws when no process can be made; a program that is missing ends with status 127.
 */
export function launchVmm({ command, entries, user, given }: VmmLaunch): ChildProcess {
  const padding = Array.from(
    { length: FIRST_GIVEN_FD - ENTRIES_FROM_FD - entries.length },
    () => "ignore" as const,
  );
  const stdio: StdioOptions = ["ignore", "pipe", "pipe", ...entries, ...padding, ...given];
  try {
    const child = spawn("/bin/sh", ["-c", script(entries.length), "sh", ...command], {
      ...{ stdio, env: {}, cwd: "/" },
      ...user,
    });
    child.on("error", () => {
      // Told by `pid`, which is undefined then.
    });
    return child;
  } finally {
    for (const descriptor of entries) closeSync(descriptor);
    closeGiven(given);
  }
}

/** This process's copies. */
export function closeGiven(given: readonly (Socket | number | "pipe")[]): void {
  for (const each of given) {
    if (typeof each === "number") closeSync(each);
    else if (each !== "pipe") each.destroy();
  }
}

function script(entries: number): string {
  const numbers = Array.from({ length: entries }, (_, at) => ENTRIES_FROM_FD + at);
  const steps = [
    `ulimit -c ${CORE_BYTES_MAX}`,
    `ulimit -n ${OPEN_FILES_MAX}`,
    ...numbers.map((number) => `echo 0 >&${number}`),
  ];
  const unused = Array.from(
    { length: FIRST_GIVEN_FD - ENTRIES_FROM_FD },
    (_, at) => `${ENTRIES_FROM_FD + at}>&-`,
  );
  return `${steps.join(" && ")} || exit 96; exec "$@" ${unused.join(" ")}`;
}
