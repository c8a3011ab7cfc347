import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { IsolaError, messageOf } from "../errors.ts";
import type { BuildTools, RuntimeSpec } from "./driver.ts";
import { sharedLibraries } from "../images/shared-libraries.ts";

const QUESTION_TIMEOUT_MS = 10_000;
const PYTHON_MINOR_LEAST = 9;

export interface FindRuntimesOptions {
  /** The folder that holds `runtimes/` and `protocol/`. */
  root: string;
  /** Path of another Python than the system's; null or empty: look for it. */
  python: string | null;
}

/** The language sides of this machine: the server's own Node, and Python where there is one. Rejects with `invalid_settings` when a Python that was asked for does not do. */
export async function findRuntimes(options: FindRuntimesOptions): Promise<RuntimeSpec[]> {
  const [node, python] = await Promise.all([nodeRuntime(options.root), pythonRuntime(options)]);
  return python === null ? [node] : [node, python];
}

async function nodeRuntime(root: string): Promise<RuntimeSpec> {
  const executable = realpathSync(process.execPath);
  const version = process.versions.node;
  const frames = "protocol/src/frames.mjs";
  return {
    name: `nodejs${version.split(".")[0]}`,
    family: "nodejs",
    version,
    executable,
    // A sandbox is small: with V8's default of 16 MiB, garbage would fill it before it is collected.
    args: ["--max-semi-space-size=2", "{runtime}/main.mjs"],
    runtimeDir: join(root, "runtimes/node"),
    needs: [...(await sharedLibraries([executable])), "/etc/ld.so.cache", "/usr/share/zoneinfo"],
    companions: [{ from: join(root, frames), at: frames }],
    tools: nodeTools(),
  };
}

/** npm, esbuild, and the shell that lifecycle scripts are written for. */
function nodeTools(): BuildTools {
  const { resolve } = createRequire(import.meta.url);
  const companions = [{ from: dirname(resolve("npm/package.json")), at: "tools/npm" }];
  const needs = existsSync("/bin/sh") ? ["/bin/sh"] : [];
  try {
    const esbuild = resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`);
    return {
      companions: [...companions, { from: esbuild, at: "tools/esbuild" }],
      needs,
      problem: null,
    };
  } catch {
    const problem = `there is no esbuild for ${process.platform}-${process.arch}: bundles cannot be made`;
    return { companions, needs, problem };
  }
}

/** What a Python says of itself. */
interface PythonFacts {
  executable: string;
  version: [number, number, number];
  folders: string[];
  modules: string[];
  certificates: string[];
  /** The folder of the package, or a wheel; null where there is none. */
  pip: string | null;
}

const question = `
import glob, importlib.util, json, os, ssl, sys, sysconfig
paths = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
dynload = sysconfig.get_config_var("DESTSHARED") or ""
where = ssl.get_default_verify_paths()
pip = importlib.util.find_spec("pip")
wheels = glob.glob(os.path.join(paths[0], "ensurepip/_bundled/pip-*.whl")) + glob.glob("/usr/share/python-wheels/pip-*.whl")
print(json.dumps({
  "executable": os.path.realpath(sys.executable), "version": list(sys.version_info[:3]),
  "folders": [p for p in dict.fromkeys([*paths, dynload]) if p and os.path.isdir(p)],
  "modules": glob.glob(os.path.join(dynload, "*.so")),
  "certificates": [p for p in [where.openssl_cafile, where.openssl_capath] if p and os.path.exists(p)],
  "pip": os.path.dirname(pip.origin) if pip and pip.origin else (wheels[0] if wheels else None),
}))`;

async function pythonRuntime({ root, python }: FindRuntimesOptions): Promise<RuntimeSpec | null> {
  const facts = await findPython(python);
  if (facts === null) return null;
  const { executable, version, folders, modules, certificates } = facts;
  const outside = executable.startsWith("/usr/bin/") ? [] : modules;
  await compileRuntime(executable, join(root, "runtimes/python"));
  return {
    name: `python${version[0]}.${version[1]}`,
    family: "python",
    version: version.join("."),
    executable,
    args: ["-I", "-S", "-B", "-u", "-X", "utf8", "{runtime}/main.py"],
    runtimeDir: join(root, "runtimes/python"),
    needs: [
      ...(await sharedLibraries([executable, ...outside])),
      ...folders,
      ...certificates,
      ...["/etc/ssl/openssl.cnf", "/etc/ld.so.cache", "/usr/share/zoneinfo"],
    ],
    tools: pythonTools(facts),
  };
}

function pythonTools({ pip, executable }: PythonFacts): BuildTools {
  if (pip === null) {
    const problem = `${executable} has no pip: apt-get install python3-pip, or python -m ensurepip`;
    return { companions: [], needs: [], problem };
  }
  const at = pip.endsWith(".whl") ? "tools/pip.whl" : "tools/pip/pip";
  return { companions: [{ from: pip, at }], needs: [], problem: null };
}

/** Compiles the runtime's own modules once: in a sandbox nothing can be kept, and every start would compile them again. */
async function compileRuntime(executable: string, folder: string): Promise<void> {
  const args = ["-I", "-m", "compileall", "-q", join(folder, "isola_runtime")];
  try {
    await promisify(execFile)(executable, args, { timeout: QUESTION_TIMEOUT_MS });
  } catch {
    // A folder that cannot be written makes starts slower by some tens of milliseconds, and nothing else.
  }
}

/** The one that was asked for, or else the first that does. */
async function findPython(asked: string | null): Promise<PythonFacts | null> {
  if (asked !== null && asked !== "") {
    const facts = await ask(asked);
    if (typeof facts !== "string") return facts;
    throw new IsolaError("invalid_settings", `python ${asked} cannot be used: ${facts}`);
  }
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "python3"));
  for (const candidate of new Set(["/usr/bin/python3", ...onPath])) {
    if (!existsSync(candidate)) continue;
    const facts = await ask(candidate);
    if (typeof facts !== "string") return facts;
  }
  return null;
}

/** What the Python says, or why it does not do. */
async function ask(python: string): Promise<PythonFacts | string> {
  try {
    const options = { timeout: QUESTION_TIMEOUT_MS };
    const { stdout } = await promisify(execFile)(python, ["-I", "-c", question], options);
    const facts = JSON.parse(stdout) as PythonFacts;
    const [major, minor] = facts.version;
    if (major === 3 && minor >= PYTHON_MINOR_LEAST) return facts;
    return `it is ${facts.version.join(".")}; 3.${PYTHON_MINOR_LEAST} or newer is needed`;
  } catch (error) {
    return messageOf(error);
  }
}
