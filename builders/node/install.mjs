import { join } from "node:path";
import { runTool } from "./run-tool.mjs";

/**
 * `npm ci`: exactly what the lockfile names, without development dependencies.
 * @param {{base: string, folder: string, order: import("./builder.mjs").Order, npm: string, port: number, certificates: string}} given
 */
export async function install({ base, folder, order, npm, port, certificates }) {
  const proxy = `http://127.0.0.1:${port}`;
  await runTool({
    name: "npm ci",
    program: process.execPath,
    args: [
      join(npm, "bin/npm-cli.js"),
      ...["ci", "--omit=dev", "--no-audit", "--no-fund", "--no-update-notifier", "--no-progress"],
      ...["--loglevel=notice", `--cache=${join(base, "npm-cache")}`, "--logs-max=0"],
      ...["--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-timeout=60000"],
      ...(order.scripts
        ? ["--dangerously-allow-all-scripts", "--foreground-scripts"]
        : ["--ignore-scripts", "--no-bin-links"]),
      `--proxy=${proxy}`,
      `--https-proxy=${proxy}`,
      "--noproxy=",
      ...(order.registry === null ? [] : [`--registry=${order.registry}`]),
    ],
    cwd: folder,
    noise: /^npm error (?:Usage:|Clean install a project)/,
    env: { NODE_EXTRA_CA_CERTS: certificates },
  });
}
