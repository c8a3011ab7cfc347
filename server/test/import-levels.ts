import { readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

/**
 * Levels of server/src, highest first. A file imports from its own folder and from lower levels, never from a neighbour on its own level. A file that is
 * directly in server/src counts as a folder of its own name.
 */
export const serverLevels: readonly (readonly string[])[] = [
  ["main"],
  ["backup"],
  ["supervisor"],
  ["control", "gateway"],
  ["auth", "pool", "triggers", "builds", "comparisons", "cost", "traces", "schedules"],
  ["link", "keeper"],
  ["artifacts", "drivers", "store"],
  ["config", "images", "metrics"],
  ["settings", "records", "fail-points"],
  ["errors", "domain"],
];

/** What each package may import of the others; `setup` holds the scripts and may read what it documents. */
export const packageImports: Record<string, readonly string[]> = {
  api: [],
  protocol: [],
  server: ["api", "protocol"],
  cli: ["api", "client"],
  client: ["api"],
  console: ["api"],
  runtimes: ["protocol"],
  bench: ["api", "protocol", "server", "runtimes"],
  setup: ["api", "server", "cli"],
};

export interface Breach {
  /** `server/src/pool/queue.ts:3` */
  place: string;
  rule: string;
}

const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"'\n]+)["']/g;

/** Breaches in one file. `path` is relative to the root of the repository. */
export function breachesIn(path: string, text: string): Breach[] {
  const found: Breach[] = [];
  for (const match of withoutComments(text).matchAll(importPattern)) {
    const target = targetOf(path, match[1] as string);
    const rule = target === null ? null : (packageRule(path, target) ?? levelRule(path, target));
    if (rule === null) continue;
    const line = text.slice(0, match.index).split("\n").length;
    found.push({ place: `${path}:${line}`, rule });
  }
  return found;
}

export function breachesOf(root: string, paths: readonly string[]): Breach[] {
  return paths.flatMap((path) => breachesIn(path, readFileSync(join(root, path), "utf8")));
}

/** Blanks that keep every position. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) =>
    comment.replace(/[^\n]/g, " "),
  );
}

/** Path of what is imported below the root; null for packages from the registry and for Node's own. */
function targetOf(path: string, specifier: string): string | null {
  if (specifier.startsWith(".")) return normalize(join(dirname(path), specifier));
  const own = /^@isola\/([a-z-]+)\/?(.*)$/.exec(specifier);
  return own ? join(own[1] as string, own[2] as string) : null;
}

function packageRule(path: string, target: string): string | null {
  const from = path.split("/")[0] as string;
  const to = target.split("/")[0] as string;
  if (from === to || !(to in packageImports) || !(from in packageImports)) return null;
  if (isTest(path) && from !== "runtimes" && from !== "api") return null;
  if (path === "cli/isola.mjs" && target === "setup/pinned-node.mjs") return null; // a shim, not the program
  const allowed = packageImports[from] ?? [];
  if (allowed.includes(to)) return null;
  return `${from}/ imports ${allowed.length > 0 ? allowed.map((name) => `${name}/`).join(", ") : "no other package"}, not ${target}`;
}

function levelRule(path: string, target: string): string | null {
  const from = folderOf(path);
  const to = folderOf(target);
  if (from === null || to === null || from === to || isTest(path)) return null;
  const fromLevel = levelOf(from);
  const toLevel = levelOf(to);
  if (fromLevel === -1) return `${from} has no level: add it to server/test/import-levels.ts`;
  if (toLevel === -1) return `${to} has no level: add it to server/test/import-levels.ts`;
  if (toLevel > fromLevel) return null;
  const where = toLevel === fromLevel ? "a neighbour on the same level" : "a higher level";
  return `${from} imports lower levels only; ${to} is ${where}`;
}

function levelOf(folder: string): number {
  return serverLevels.findIndex((level) => level.includes(folder));
}

/** Folder of server/src in which a path lies, or the name of a file directly in it; null elsewhere. */
function folderOf(path: string): string | null {
  const inside = relative("server/src", path);
  if (inside.startsWith("..")) return null;
  return (inside.split("/")[0] as string).replace(/(\.test)?\.ts$/, "");
}

function isTest(path: string): boolean {
  return /\.test\.ts$|(^|\/)conformance(\/|\.ts$)|^[a-z]+\/test\//.test(path);
}
