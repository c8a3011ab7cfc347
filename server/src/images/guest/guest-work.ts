import { type OnProgress, type WorkDeadlines, workDeadlines } from "../engine-stream.ts";
import { runCommand } from "../run-command.ts";

/** How a part of a guest is made: what is told meanwhile, and what ends it. */
export interface GuestWork {
  onProgress: OnProgress;
  signal: AbortSignal;
  deadlines?: WorkDeadlines;
}

interface Run extends GuestWork {
  /** What to say where there is no such program. */
  missing: string;
  cwd?: string;
}

/** A program to its end. Rejects with `driver_unavailable`. */
export async function run(
  command: string,
  args: string[],
  { deadlines = workDeadlines, ...rest }: Run,
): Promise<void> {
  await runCommand(command, args, { env: { ...process.env, LC_ALL: "C" }, deadlines, ...rest });
}
