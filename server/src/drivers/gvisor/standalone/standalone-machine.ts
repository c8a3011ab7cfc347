import { messageOf } from "../../../errors.ts";
import { type CgroupsFound, findCgroups } from "../../cgroups/find-cgroups.ts";
import { findRunsc } from "./find-runsc.ts";
import { type PlatformChoice, platformsToTry } from "./platforms.ts";
import type { Platform } from "./runsc-command.ts";
import type { StandaloneContext } from "./start-standalone.ts";
import { identityOf } from "./snapshot-kind.ts";
import { type TrialStart, tryPlatforms } from "./trial.ts";

/** What gVisor without an engine has to work with on this machine. */
export interface StandaloneMachine {
  /** null: there is none that does. */
  runsc: string | null;
  version: string | null;
  cgroups: CgroupsFound;
  /** On which a sandbox was seen to run; null: none. */
  platform: Platform | null;
  snapshots: SnapshotMachine;
  /** Without these nothing is started. */
  problems: string[];
  fixes: string[];
}

export interface SnapshotMachine {
  /** Of what snapshots depend on beside what is in them; empty where nothing can be started. */
  identity: string;
  /** Why none are taken; null: they are. */
  problem: string | null;
}

interface ExamineOptions {
  runsc: string | null;
  platform: PlatformChoice;
  without: readonly string[];
  foldersDir: string;
  trialImage(): Promise<string>;
  start: TrialStart;
  /** null: a sandbox was saved, and went on. */
  trySnapshots(context: StandaloneContext, image: string, identity: string): Promise<string | null>;
}

/** Looks at the program and the machine, and tries a sandbox. */
export async function examine(options: ExamineOptions): Promise<StandaloneMachine> {
  const { without, foldersDir, start } = options;
  const { path, version, problems, fixes } = await findRunsc(options.runsc);
  const cgroups: CgroupsFound = without.includes("cgroups")
    ? { tree: null, problem: "left out by a test" }
    : findCgroups();
  const found = { runsc: path, version, cgroups };
  const refused = (more: string[], how: string[] = []): StandaloneMachine => ({
    ...{ ...found, platform: null, snapshots: { identity: "", problem: null } },
    ...{ problems: [...problems, ...more], fixes: [...fixes, ...how] },
  });
  if (path === null) return refused([]);
  if (process.geteuid?.() !== 0)
    return refused(
      ["runsc makes its sandboxes as root, which the server is not"],
      ["run the server as root"],
    );
  const { tree } = cgroups;
  if (tree === null)
    return refused(
      [`its limits are control groups, and ${cgroups.problem}`],
      ["run the server as root, in a unit with Delegate=yes"],
    );
  try {
    const image = await options.trialImage();
    const context = { runsc: path, tree, foldersDir };
    const trial = await tryPlatforms(platformsToTry(options.platform), context, { image, start });
    if (trial.platform === null)
      return refused(trial.problems, ["--gvisor-platform=systrap, or a newer runsc"]);
    const { platform } = trial;
    const identity = await identityOf({ path, version, platform });
    const problem = await options.trySnapshots({ ...context, platform }, image, identity);
    return { ...found, platform, snapshots: { identity, problem }, problems: [], fixes: [] };
  } catch (error) {
    const text = messageOf(error);
    return refused([text], /mkfs\.erofs/.test(text) ? ["apt-get install -y erofs-utils"] : []);
  }
}

/** What a start takes; null: nothing can be started. */
export function usable(
  { runsc, platform, cgroups: { tree } }: StandaloneMachine,
  foldersDir: string,
): StandaloneContext | null {
  if (runsc === null || platform === null || tree === null) return null;
  return { runsc, platform, tree, foldersDir };
}
