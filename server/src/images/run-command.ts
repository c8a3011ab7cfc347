import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { IsolaError } from "../errors.ts";
import type { EngineWork } from "./engine-stream.ts";

const LAST_LINES = 8;

/**
 * Runs a program of this machine to its end, its lines as progress, within the deadlines of `work`. Rejects with `driver_unavailable`: with the text `missing`
 * where there is no such program, else with its last lines.
 */
export async function runCommand(
  command: string,
  args: string[],
  options: Omit<EngineWork, "what"> & { env: NodeJS.ProcessEnv; missing: string },
): Promise<void> {
  const { env, missing, deadlines, onProgress, signal } = options;
  const child = spawn(command, args, { env, stdio: ["ignore", "ignore", "pipe"], detached: true });
  const last: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (line.trim() === "") return;
    onProgress(line);
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
  });
  // It has children of its own, which end with its group.
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  };
  const deadline = setTimeout(end, deadlines.totalMs);
  signal.addEventListener("abort", end, { once: true });
  try {
    const code = await new Promise<number | string>((resolve) => {
      child.on("error", (error) => resolve(error.message));
      child.on("close", (status, by) => resolve(status ?? `ended by ${by}`));
    });
    if (code === 0) return;
    if (child.pid === undefined) throw new IsolaError("driver_unavailable", missing);
    const text = `${command} failed (${code}); it said last:\n  ${last.join("\n  ")}`;
    throw new IsolaError("driver_unavailable", text);
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener("abort", end);
  }
}
