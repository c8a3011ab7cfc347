import type { Readable } from "node:stream";
import { MiB } from "../../../domain/limits.ts";
import { messageOf } from "../../../errors.ts";
import type { SandboxHandle, SandboxLimits } from "../../driver.ts";
import type { BundleSpec } from "./bundle.ts";
import { NOTHING_TO_DO } from "./init-program.ts";
import type { Platform } from "./runsc-command.ts";
import type { StandaloneContext } from "./start-standalone.ts";

/** A platform that does not work may say nothing for ever. */
const TRIAL_MS_MAX = 5000;
const TEXT_BYTES_MAX = 1000;

export type TrialStart = (
  context: StandaloneContext,
  request: { limits: SandboxLimits; bundle: BundleSpec },
) => Promise<{ sandbox: SandboxHandle; stderr: Readable }>;

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
    const problem = await tryOut({ ...context, platform }, image, start).catch(messageOf);
    if (problem === null) return { platform, problems };
    problems.push(`platform ${platform}: ${problem}`);
  }
  return { platform: null, problems };
}

/** null: it has run. */
async function tryOut(
  context: StandaloneContext,
  image: string,
  start: TrialStart,
): Promise<string | null> {
  const limits = { memoryBytes: 64 * MiB, pidsMax: 8 };
  const bundle = { image, command: [], pidsMax: 8, tmpBytes: MiB, sockets: [] };
  const { sandbox, stderr } = await start(context, { limits, bundle });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void sandbox.destroy("timeout");
  }, TRIAL_MS_MAX);
  try {
    let text = "";
    stderr.on("data", (chunk: Buffer) => {
      if (text.length < TEXT_BYTES_MAX) text += chunk.toString("latin1");
    });
    const exit = await sandbox.exited;
    if (exit.exitCode === NOTHING_TO_DO) return null;
    const status = exit.signal ?? `status ${exit.exitCode}`;
    const how = isLate ? `said nothing for ${TRIAL_MS_MAX} ms` : `ended with ${status}`;
    return `a sandbox that was tried ${how}: ${text.trim().slice(0, TEXT_BYTES_MAX)}`;
  } finally {
    clearTimeout(timer);
    await sandbox.destroy("shutdown");
  }
}
