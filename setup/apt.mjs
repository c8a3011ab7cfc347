import { findCommand, runForOutput } from "./processes.mjs";

/** Whether Debian packages can be installed here without a question. */
export function canAptInstall() {
  return process.getuid?.() === 0 && findCommand("apt-get") !== null;
}

/** The command for a person, without `sudo`. */
export function aptCommand(packages) {
  return `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
}

/** Resolves with its exit code and what it said. RUNLEVEL keeps Debian's scripts from starting the service of what is installed. */
export function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  return runForOutput("apt-get", args, { env });
}

/**
 * Installs packages, once more after `apt-get update` where that does not help, since the list of packages may be old; no service is started. Resolves with null once `isThere`, else
 * with the last lines of what was said.
 */
export async function aptInstall(packages, isThere, say = () => {}) {
  const args = aptCommand(packages).split(" ").slice(1);
  let { output } = await aptGet(args);
  if (isThere()) return null;
  say("The package list may be old: apt-get update ...");
  await aptGet(["update"]);
  ({ output } = await aptGet(args));
  return isThere() ? null : output.trim().split("\n").slice(-3).join("\n");
}
