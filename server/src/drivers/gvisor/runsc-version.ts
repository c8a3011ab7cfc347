import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { messageOf } from "../../errors.ts";

const VERSION_MS_MAX = 5000;

/** What a `runsc` says of itself. */
export interface RunscVersion {
  /** `0.0~20240729.0`, `20250101.0` */
  text: string;
  /** Of its release, as 20240729; null where the version does not say. */
  day: number | null;
  /** Why it does not run; null: it does. */
  problem: string | null;
}

export async function versionOf(path: string): Promise<RunscVersion> {
  try {
    const options = { timeout: VERSION_MS_MAX, env: {} };
    const { stdout } = await promisify(execFile)(path, ["--version"], options);
    const [, text = "unknown"] = /^runsc version (?:release-)?(\S+)/m.exec(stdout) ?? [];
    const [, day] = /(?:^|[^\d])(20\d{6})(?:\.|$)/.exec(text) ?? [];
    return { text, day: day === undefined ? null : Number(day), problem: null };
  } catch (error) {
    return { text: "unknown", day: null, problem: `${path} does not run: ${messageOf(error)}` };
  }
}
