import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./pinned-node.mjs";
import { findCommand, runForOutput } from "./processes.mjs";

/** Exact versions, as for npm packages. */
const packages = ["ruff==0.17.6", "mypy==2.4.1"];
const folder = join(root, ".cache", "python-tools");
const stamp = join(folder, "installed.txt");

/**
 * The folder with the tools that check Python sources, installed where they are not; or, where that does not work, what is in the way.
 * @returns {Promise<{ bin: string } | { problem: string }>}
 */
export async function ensurePythonTools(say) {
  const bin = join(folder, "bin");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === packages.join("\n")) return { bin };
  const pythons = [findCommand("python3"), "/usr/bin/python3"].filter(Boolean);
  let problem = "python3 is not installed";
  for (const python of new Set(pythons)) {
    say(`Installing ${packages.join(", ")} into .cache/python-tools ...`);
    rmSync(folder, { recursive: true, force: true });
    const made = await runForOutput(python, ["-m", "venv", folder]);
    const installed =
      made.code === 0
        ? await runForOutput(join(bin, "python"), ["-m", "pip", "install", "--quiet", ...packages])
        : made;
    if (installed.code === 0) {
      writeFileSync(stamp, packages.join("\n"));
      return { bin };
    }
    problem = installed.output.trim().split("\n").at(-1) ?? "";
  }
  return { problem };
}
