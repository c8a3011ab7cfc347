import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { launch } from "../../children/launch.ts";

const WORDS_BYTES_MAX = 4096;
const CONSOLE_BYTES_MAX = 16_384;

/** Exit codes of Firecracker's own, from its `FcExitCode`. */
const reasons: Record<number, string> = {
  148: "a system call that its seccomp filter does not allow",
  149: "SIGBUS, as when a memory file is shorter than the memory",
  150: "SIGSEGV",
  151: "SIGXFSZ: a file grew beyond its limit",
  152: "a configuration it does not take",
  153: "arguments it does not take",
  154: "SIGXCPU",
  155: "SIGPIPE",
  156: "SIGHUP",
  157: "SIGILL",
};

export interface VmmEnd {
  exitCode: number | null;
  signal: string | null;
  text: string;
}

/**
 * Firecracker as a child of the keeper: the jailer becomes it without another process in between, so that its id, its end and its last words are the child's.
 * That is why the jailer is not asked for a process namespace: it would leave a grandchild, whose end nobody is told, and which nobody reaps where the server is a
 * container's first process. Firecracker has no process of its own to hide, no other process of its user, and its filter lets it signal none.
 * Life: running -> ended.
 */
export class VmmProcess {
  readonly pid: number;
  /** Resolves once, never rejects. */
  readonly exited: Promise<VmmEnd>;
  readonly #child: ChildProcess;
  readonly #console: () => string;
  #hasEnded = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid as number;
    this.#console = lastBytes(child.stdout as Readable, CONSOLE_BYTES_MAX);
    const words = lastBytes(child.stderr as Readable, WORDS_BYTES_MAX);
    this.exited = new Promise((resolve) => {
      child.once("close", (exitCode, signal) => {
        this.#hasEnded = true;
        const reason = exitCode === null ? undefined : reasons[exitCode];
        const text = [reason, words().trim()].filter(Boolean).join(": ");
        resolve({ exitCode, signal, text });
      });
    });
  }

  /** Enters the control groups, then becomes the command. `entries` are closed. Rejects where no process can be made. */
  static async start(
    command: string[],
    { cwd, entries }: { cwd: string; entries: readonly number[] },
  ): Promise<VmmProcess> {
    const child = launch({
      ...{ command, cwd, entries: [...entries], filter: null, hostUser: null, processesMax: null },
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      isGroupLeader: false,
      streams: { control: "ignore", stdout: "pipe", stderr: "pipe" },
    });
    if (child.pid !== undefined) return new VmmProcess(child);
    const [error] = await once(child, "error");
    throw error;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What the guest has written to its console, and Firecracker to its output. */
  console(): string {
    return this.#console();
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** How it came to its end, in words. */
export function describeEnd({ exitCode, signal, text }: VmmEnd): string {
  const how = signal ?? `status ${exitCode}`;
  return text === "" ? how : `${how}, ${text}`;
}

/** Reads all of it, so that nobody waits to write, and keeps the last. */
function lastBytes(stream: Readable, bytesMax: number): () => string {
  let kept = Buffer.alloc(0);
  stream.on("data", (part: Buffer) => {
    kept = Buffer.concat([kept, part]).subarray(-bytesMax);
  });
  stream.on("error", () => {}); // what was read stays
  return () => kept.toString("latin1");
}
