import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./pinned-node.mjs";
import { runToEnd } from "./processes.mjs";

/** Installs what package-lock.json names, where it is not installed yet. */
export async function ensureDependencies(say) {
  const missing = missingPackages(root);
  if (missing.length === 0) return;
  say(`Installing dependencies with npm ci (${missing.length} missing or of another version) ...`);
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm ? [process.execPath, npm] : ["npm"];
  const args = [...first, "ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const code = await runToEnd(command, args, { cwd: root });
  if (code !== 0) throw new Error(`npm ci failed with exit code ${code}; its output says why`);
}

/**
 * Names of packages of the lock file that are not installed in that version. npm writes node_modules/.package-lock.json as the last step of an
 * installation, so a broken-off one counts as nothing installed. Optional packages are for other machines, but for those that are here.
 */
export function missingPackages(rootDir) {
  const wanted = packagesOf(join(rootDir, "package-lock.json"));
  const installed = packagesOf(join(rootDir, "node_modules", ".package-lock.json"));
  return Object.entries(wanted)
    .filter(([path, entry]) => {
      if (path === "") return false;
      const found = installed[path];
      if (!found) return !entry.optional && !entry.peer;
      return found.version !== entry.version || found.integrity !== entry.integrity;
    })
    .map(([path]) => path);
}

function packagesOf(path) {
  if (!existsSync(path)) return {};
  return JSON.parse(readFileSync(path, "utf8")).packages ?? {};
}
