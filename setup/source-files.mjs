import { readdirSync } from "node:fs";
import { join, relative } from "node:path";

/** Folders of the repository that hold code. */
export const codeFolders = [
  "api",
  "protocol",
  "server",
  "cli",
  "client",
  "console",
  "runtimes",
  "builders",
  "probes",
  "setup",
  "bench",
  "examples",
];
const skipped = new Set([
  "node_modules",
  "dist",
  "results",
  "golden",
  "__pycache__",
  ".git",
  "data",
]);

/** Paths below `rootDir`, sorted, of files that end in one of `endings`. */
export function sourceFiles(rootDir, endings, folders = codeFolders) {
  const found = [];
  const rest = folders.map((folder) => join(rootDir, folder));
  for (let dir = rest.pop(); dir !== undefined; dir = rest.pop()) {
    for (const entry of entriesOf(dir)) {
      if (skipped.has(entry.name)) continue;
      const path = join(dir, entry.name);
      if (entry.isDirectory()) rest.push(path);
      else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(path);
    }
  }
  return found.map((path) => relative(rootDir, path)).sort();
}

function entriesOf(dir) {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}
