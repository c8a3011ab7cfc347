import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { IsolaError } from "../errors.ts";
import type { EngineWork } from "./engine-stream.ts";

const LAST_LINES = 8;
/** From the polite signal to the other. */
const KILL_AFTER_MS = 5000;

export interface CommandWork extends Omit<EngineWork, "what"> {
  env: NodeJS.ProcessEnv;
  /** What to say where there is no such program. */
  missing: string;
  /** Left out: the server's own. */
  cwd?: string;
  /** Lines on its stdout; left out: they go nowhere. */
  onOutput?: (line: string) => void;
}

/**
 * Runs a program of this machine to its end, with what it says on stderr as progress. Resolves when it has succeeded. Rejects with `driver_unavailable` that holds
 * its last lines; what it has started ends with it.
 */
export async function runCommand(
  command: string,
  args: string[],
  { env, cwd, missing, deadlines, onProgress, onOutput, signal }: CommandWork,
): Promise<void> {
  const child = spawn(command, args, {
    ...{ env, stdio: ["ignore", onOutput ? "pipe" : "ignore", "pipe"], detached: true },
    ...(cwd !== undefined && { cwd }),
  });
  const last: string[] = [];
  if (onOutput !== undefined && child.stdout !== null)
    createInterface({ input: child.stdout }).on("line", onOutput);
  createInterface({ input: child.stderr as Readable }).on("line", (line) => {
    if (line.trim() === "") return;
    onProgress(line);
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
  });
  const ending = AbortSignal.any([signal, AbortSignal.timeout(deadlines.totalMs)]);
  const code = await exitOf(child, ending);
  if (code === 0) return;
  if (child.pid === undefined) throw new IsolaError("driver_unavailable", missing);
  if (signal.aborted) throw new IsolaError("shutting_down", `${command} was given up`);
  const how = ending.aborted
    ? `did not end within ${deadlines.totalMs / 1000} s`
    : `failed (${code})`;
  const text = `${command} ${how}; it said last:\n  ${last.join("\n  ")}`;
  throw new IsolaError("driver_unavailable", text);
}

/** Its exit code, or what ended it. */
async function exitOf(child: ChildProcess, ending: AbortSignal): Promise<number | string> {
  let killing: NodeJS.Timeout | undefined;
  const end = () => {
    signalGroup(child, "SIGTERM");
    killing = setTimeout(() => signalGroup(child, "SIGKILL"), KILL_AFTER_MS);
  };
  if (ending.aborted) end();
  ending.addEventListener("abort", end, { once: true });
  try {
    return await new Promise<number | string>((resolve) => {
      child.on("error", (error) => resolve(error.message));
      child.on("close", (status, by) => resolve(status ?? `ended by ${by}`));
    });
  } finally {
    clearTimeout(killing);
    ending.removeEventListener("abort", end);
  }
}

/** It leads a group of its own, so that what it has started ends too. */
function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // all of them have ended
  }
}
