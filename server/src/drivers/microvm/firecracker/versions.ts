import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { messageOf } from "../../../errors.ts";

const VERSION_MS_MAX = 5000;

export interface Version {
  major: number;
  minor: number;
  patch: number;
  /** `1.16.1`, `1.17.0-dev` */
  text: string;
}

/**
 * Before it, a guest may not be able to connect to the host after a restore (1.16.1), and kernels before 6.10 do not see that they were restored, so that they hand
 * out the same random numbers twice (1.16.0).
 */
export const LEAST_VERSION = { major: 1, minor: 16, patch: 1 } as const;

/** Before it, a kernel is an uncompressed ELF file. */
const LEAST_WITH_BZIMAGE = { major: 1, minor: 17, patch: 0 } as const;

/** Of `Firecracker v1.16.1`, `Jailer v1.16.1`; null: the text has no version. */
export function parseVersion(text: string): Version | null {
  const found = /^(?:Firecracker|Jailer) v((\d+)\.(\d+)\.(\d+)\S*)\s/m.exec(text);
  if (found === null) return null;
  const [, whole = "", ...numbers] = found;
  const [major = 0, minor = 0, patch = 0] = numbers.map(Number);
  return { major, minor, patch, text: whole };
}

export function isAtLeast(
  version: Omit<Version, "text">,
  least: { major: number; minor: number; patch: number },
): boolean {
  if (version.major !== least.major) return version.major > least.major;
  if (version.minor !== least.minor) return version.minor > least.minor;
  return version.patch >= least.patch;
}

export function takesBzImage(version: Version): boolean {
  return isAtLeast(version, LEAST_WITH_BZIMAGE);
}

/** Runs `program --version`. */
export async function versionOf(program: string): Promise<Version | { problem: string }> {
  try {
    const options = { timeout: VERSION_MS_MAX, killSignal: "SIGKILL", maxBuffer: 65_536 } as const;
    const { stdout } = await promisify(execFile)(program, ["--version"], options);
    const version = parseVersion(stdout);
    if (version !== null) return version;
    return { problem: `${program} --version says no version: ${stdout.slice(0, 200).trim()}` };
  } catch (error) {
    return { problem: `${program} does not run: ${messageOf(error).slice(0, 500).trim()}` };
  }
}
