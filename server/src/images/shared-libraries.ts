import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

const LDD_TIMEOUT_MS = 10_000;
/** Folders that hold libraries only: taken whole, as one mount is cheaper than ten and brings what libraries load later. */
export const LIBRARY_FOLDER = /^(\/usr)?\/lib(64|\/[a-z0-9_]+-linux-[a-z0-9]+)$/;

/** Host paths that programs and modules need in order to be loaded: libraries or their folders, and the loader. Linux; elsewhere empty. */
export async function sharedLibraries(binaries: string[]): Promise<string[]> {
  if (process.platform !== "linux") return [];
  const text = await ldd(binaries);
  const paths = new Set<string>();
  for (const [, path] of text.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)) {
    const found = path as string;
    const folder = dirname(realpathSync(found));
    paths.add(found);
    if (LIBRARY_FOLDER.test(folder)) paths.add(folder);
  }
  return [...paths];
}

/** `ldd` fails for a binary that is linked statically, and has no libraries then. */
async function ldd(binaries: string[]): Promise<string> {
  const options = { timeout: LDD_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
  try {
    return (await promisify(execFile)("ldd", binaries, options)).stdout;
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (stdout === undefined) throw error;
    return stdout;
  }
}
