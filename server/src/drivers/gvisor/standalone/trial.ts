import { mkdir } from "node:fs/promises";
import type { Duplex, Readable } from "node:stream";
import { MiB } from "../../../domain/limits.ts";
import { messageOf } from "../../../errors.ts";
import type { ChildSandbox } from "../../children/child-sandbox.ts";
import { removeTree } from "../../children/private-folder.ts";
import type { SandboxExit, SandboxLimits } from "../../driver.ts";
import type { BundleSpec } from "./bundle.ts";
import { NOTHING_TO_DO } from "./init-program.ts";
import type { Platform } from "./runsc-command.ts";
import { saveSandbox, textOf, untilRunning } from "./saving.ts";
import type { StandaloneContext, StartedStandalone } from "./start-standalone.ts";

/** A platform that does not work may say nothing for ever. */
const TRIAL_MS_MAX = 5000;

export interface TrialRequest {
  limits: SandboxLimits;
  bundle: BundleSpec;
  /** Folder of what it goes on from; left out: it boots. */
  saved?: string;
}

export interface BegunStandalone {
  sandbox: ChildSandbox;
  started: StartedStandalone;
}

/** Its streams are pipes of this process's. */
export type TrialStart = (
  context: StandaloneContext,
  request: TrialRequest,
) => Promise<BegunStandalone>;

export interface Trial {
  /** The first on which a sandbox has run; null: none. */
  platform: Platform | null;
  /** Why not, of those that were tried before it. */
  problems: string[];
}

/** Runs a sandbox, with every limit, on one platform after the other until one has run. */
export async function tryPlatforms(
  platforms: readonly Platform[],
  context: Omit<StandaloneContext, "platform">,
  { image, start }: { image: string; start: TrialStart },
): Promise<Trial> {
  const problems: string[] = [];
  for (const platform of platforms) {
    const begin = () => start({ ...context, platform }, requestFor(image));
    const problem = await tryOut(begin).catch(messageOf);
    if (problem === null) return { platform, problems };
    problems.push(`platform ${platform}: ${problem}`);
  }
  return { platform: null, problems };
}

/** Saves a sandbox into `saved`, a folder that is made and removed, and has another go on from it. null: it did. */
export async function trySnapshots(
  context: StandaloneContext,
  { image, saved, start }: { image: string; saved: string; start: TrialStart },
): Promise<string | null> {
  const signal = AbortSignal.timeout(TRIAL_MS_MAX);
  try {
    await mkdir(saved, { recursive: true, mode: 0o700 });
    const { sandbox, started } = await start(context, requestFor(image));
    try {
      await untilRunning(started, signal);
      await saveSandbox(context, started, { saved, signal });
    } finally {
      await sandbox.destroy("shutdown");
    }
    const problem = await tryOut(async () => {
      const begun = await start(context, { ...requestFor(image), saved });
      await untilRunning(begun.started, signal).catch(async (error: unknown) => {
        await begun.sandbox.destroy("start_failed");
        throw error;
      });
      return begun;
    });
    return problem === null ? null : `no: restored, ${problem}`;
  } catch (error) {
    return `no: ${messageOf(error)}`;
  } finally {
    await removeTree(saved);
  }
}

function requestFor(image: string): TrialRequest {
  const bundle = { image, command: [], env: [], pidsMax: 8, tmpBytes: MiB, sockets: [] };
  return { limits: { memoryBytes: 64 * MiB, pidsMax: 8 }, bundle };
}

/** Whether it ends as it is to when something comes to it. null: it did. */
async function tryOut(begin: () => Promise<BegunStandalone>): Promise<string | null> {
  const { sandbox, started } = await begin();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void sandbox.destroy("timeout");
  }, TRIAL_MS_MAX);
  try {
    const text = textOf(started.child.stderr as Readable);
    const control = started.child.stdio[3] as Duplex;
    control.on("error", () => {}); // its exit says why
    control.write("\0");
    const exit = await sandbox.exited;
    return exit.exitCode === NOTHING_TO_DO ? null : `${howOf(exit, isLate)}: ${text()}`;
  } finally {
    clearTimeout(timer);
    await sandbox.destroy("shutdown");
  }
}

function howOf({ signal, exitCode }: SandboxExit, isLate: boolean): string {
  const how = isLate
    ? `said nothing for ${TRIAL_MS_MAX} ms`
    : `ended with ${signal ?? `status ${exitCode}`}`;
  return `a sandbox that was tried ${how}`;
}
