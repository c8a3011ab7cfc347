import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { IsolaError } from "../../../errors.ts";

const QUESTION_TIMEOUT_MS = 30_000;
/** What a build of a kernel runs, and the package of Debian that has it. */
const programs: Record<string, string> = {
  gcc: "gcc",
  ld: "binutils",
  make: "make",
  flex: "flex",
  bison: "bison",
  bc: "bc",
  perl: "perl",
  lz4c: "lz4",
  tar: "tar",
  xz: "xz-utils",
};
/** What programs of the build are compiled with. */
const headers: Record<string, string> = { "gelf.h": "libelf-dev", "stdlib.h": "libc6-dev" };

export interface BuildTools {
  /** `gcc 12.2.0 x86_64-linux-gnu`: another one makes another kernel. */
  compiler: string;
}

/** Looks for everything that the build needs. Rejects with `driver_unavailable` that names what is missing, and the one command that installs all of it. */
export async function findBuildTools(env: NodeJS.ProcessEnv): Promise<BuildTools> {
  const missing = new Map<string, string>();
  for (const [program, debian] of Object.entries(programs))
    if (!(await succeeds("/bin/sh", ["-c", 'command -v "$0"', program], env)))
      missing.set(program, debian);
  if (!missing.has("gcc"))
    for (const [header, debian] of Object.entries(headers))
      if (!(await succeeds("gcc", ["-E", "-include", header, "-x", "c", "/dev/null"], env)))
        missing.set(header, debian);
  if (missing.size > 0) {
    const packages = [...new Set(missing.values())].sort().join(" ");
    throw new IsolaError(
      "driver_unavailable",
      `a kernel is not built without ${[...missing.keys()].join(", ")}: apt-get install -y ${packages}`,
    );
  }
  const [version, machine] = await Promise.all(
    ["-dumpfullversion", "-dumpmachine"].map((question) => ask("gcc", [question], env)),
  );
  return { compiler: `gcc ${version} ${machine}` };
}

async function ask(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const options = { env, timeout: QUESTION_TIMEOUT_MS, maxBuffer: 16 * 1_048_576 };
  return (await promisify(execFile)(program, args, options)).stdout.trim();
}

async function succeeds(program: string, args: string[], env: NodeJS.ProcessEnv) {
  return await ask(program, args, env).then(
    () => true,
    () => false,
  );
}
