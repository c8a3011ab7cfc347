import { aptCommand, aptInstall, canAptInstall } from "./apt.mjs";
import { findCommand, runForOutput } from "./processes.mjs";

/** Package and the command of it that tests run. */
const tools = {
  "nginx-light": "nginx",
  caddy: "caddy",
  systemd: "systemd-analyze",
  openssl: "openssl",
};
const services = ["nginx", "caddy"];

/**
 * Sees to it that the tests of `ops/` have a proxy of each kind, and what checks a unit of systemd: installs Debian's where that needs no question, without their services; else says what to do.
 * Never fails: they are then skipped with the reason.
 */
export async function ensureOperationTools(say) {
  const packages = Object.keys(tools).filter((name) => findCommand(tools[name]) === null);
  if (packages.length === 0) return;
  const command = aptCommand(packages);
  if (!canAptInstall()) {
    say(`Missing for the tests of ops/: ${packages.join(", ")}. Install them: sudo ${command}`);
    return;
  }
  say(`Installing for the tests of ops/: ${command} ...`);
  const isThere = () => packages.every((name) => findCommand(tools[name]) !== null);
  const failure = await aptInstall(packages, isThere, say);
  if (failure !== null) say(`They could not be installed:\n${failure}`);
  // They are for tests: the machine shall not begin to run them at its next start either.
  else await runForOutput("systemctl", ["disable", ...services]);
}
