import { lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const LINKS_MAX = 40;

/** How host paths are made to exist inside a sandbox at the same place. */
export interface HostView {
  /** Symbolic links on the way: `["usr/lib", "/lib"]`. */
  links: [target: string, path: string][];
  /** Real files and folders to mount, none inside another. */
  binds: string[];
}

/** Paths that do not exist are left out. */
export function hostView(paths: readonly string[]): HostView {
  const links = new Map<string, string>();
  const reals = new Set<string>();
  for (const path of paths) {
    const real = follow(path, links);
    if (real !== null) reals.add(real);
  }
  const isCovered = (path: string) => [...reals].some((real) => path.startsWith(`${real}/`));
  return {
    links: [...links]
      .filter(([path]) => !isCovered(path))
      .map(([path, target]) => [target, path] as [string, string]),
    binds: [...reals].filter((real) => !isCovered(real)).sort(),
  };
}

/** Walks to what the path names, noting the links it passes. */
function follow(path: string, links: Map<string, string>): string | null {
  let rest = path.split("/").filter(Boolean);
  let at = "/";
  for (let passed = 0; rest.length > 0; ) {
    const next = join(at, rest[0] as string);
    const stat = lstatSync(next, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    rest = rest.slice(1);
    if (!stat.isSymbolicLink()) {
      at = next;
      continue;
    }
    passed += 1;
    if (passed > LINKS_MAX) return null;
    const target = readlinkSync(next);
    links.set(next, target);
    rest = [...resolve(dirname(next), target).split("/").filter(Boolean), ...rest];
    at = "/";
  }
  return at;
}

/** Whether a user without any rights of its own can read the path and pass every folder above it. */
export function isReachableByAll(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  const wanted = stat.isDirectory() ? 0o005 : 0o004;
  if ((stat.mode & wanted) !== wanted) return false;
  for (let at = dirname(path); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === "/") return true;
  }
}
