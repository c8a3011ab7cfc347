import { findProgram } from "../../find-program.ts";
import { versionOf } from "../runsc-version.ts";

const NAME = "runsc";
/** The first day's release that was tried: it takes images as root and descriptors as streams. */
export const DAY_LEAST = 20_240_729;

export const installFixes = [
  "apt-get install runsc (Debian: -t bookworm-backports or newer), or https://gvisor.dev/docs/user_guide/install/",
];

export interface RunscFound {
  /** null: there is none that does. */
  path: string | null;
  version: string | null;
  problems: string[];
  fixes: string[];
}

/** The `runsc` that the operator names, or the one that is where system programs are; or why it does not do. */
export async function findRunsc(wanted: string | null): Promise<RunscFound> {
  const none = (problem: string, version: string | null = null): RunscFound => ({
    ...{ path: null, version, problems: [problem], fixes: installFixes },
  });
  if (process.platform !== "linux" || process.arch !== "x64")
    return none(
      `gVisor without an engine runs on Linux on x64 alone, not on ${process.platform}-${process.arch}`,
    );
  const path = wanted ?? findProgram(NAME);
  if (path === null) return none(`${NAME} is not installed`);
  const { text, day, problem } = await versionOf(path);
  if (problem !== null) return none(problem);
  if (day !== null && day < DAY_LEAST)
    return none(`${path} is of ${day}; ${DAY_LEAST} or newer is needed without an engine`, text);
  return { path, version: text, problems: [], fixes: [] };
}
