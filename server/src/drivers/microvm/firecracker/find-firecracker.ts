import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram } from "../../find-program.ts";
import { LEAST_VERSION, type Version, isAtLeast, versionOf } from "./versions.ts";

const RELEASES = "https://github.com/firecracker-microvm/firecracker/releases";
const least = Object.values(LEAST_VERSION).join(".");

export interface FirecrackerPrograms {
  executable: string;
  version: Version;
  /** Root's way to run it: in a root of its own, as a user of its own. null: the server is not root, and Firecracker is a child with the server's rights and its own filter. */
  jailer: string | null;
}

export interface FirecrackerPaths {
  /** null: looked for where system programs are. */
  firecracker: string | null;
  /** null: looked for beside Firecracker, then where system programs are. */
  jailer: string | null;
}

/** Why Firecracker cannot be used, and what would change it. */
export interface Missing {
  problem: string;
  fix: string;
}

const install = `install the release for this processor from ${RELEASES}: firecracker and jailer, both into /usr/local/bin`;

/** Finds programs that fit together: a jailer is for a Firecracker of the same version only. */
export async function findFirecracker(
  paths: FirecrackerPaths,
  isRoot: boolean,
): Promise<FirecrackerPrograms | Missing> {
  const executable = paths.firecracker ?? findProgram("firecracker");
  if (executable === null) return { problem: "firecracker is not installed", fix: install };
  const version = await versionOf(executable);
  if ("problem" in version) return { problem: version.problem, fix: install };
  if (!isAtLeast(version, LEAST_VERSION))
    return {
      problem: `${executable} is Firecracker ${version.text}, and Isola needs at least ${least}`,
      fix: install,
    };
  if (!isRoot) return { executable, version, jailer: null };
  const jailer = paths.jailer ?? jailerBeside(executable) ?? findProgram("jailer");
  if (jailer === null)
    return {
      problem: "jailer is not installed, without which root does not run Firecracker",
      fix: install,
    };
  return await withJailer({ executable, version, jailer });
}

async function withJailer(
  programs: FirecrackerPrograms & { jailer: string },
): Promise<FirecrackerPrograms | Missing> {
  const { jailer, version } = programs;
  const its = await versionOf(jailer);
  if ("problem" in its) return { problem: its.problem, fix: install };
  if (its.text !== version.text)
    return {
      problem: `${jailer} is of version ${its.text}, and Firecracker of ${version.text}`,
      fix: install,
    };
  // The jailer's folder is named for it as it is found behind links.
  return { ...programs, executable: realpathSync(programs.executable) };
}

/** A release names both `<program>-v<version>-<processor>`. */
function jailerBeside(executable: string): string | null {
  const real = realpathSync(executable);
  for (const path of [executable, real]) {
    const name = path.slice(dirname(path).length + 1).replace(/^firecracker/, "jailer");
    const found = join(dirname(path), name);
    if (name.startsWith("jailer") && isProgram(found)) return found;
  }
  return null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not there
  }
}
