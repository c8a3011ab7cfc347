import { aptCommand, aptInstall, canAptInstall } from "./apt.mjs";
import { findCommand, runForOutput } from "./processes.mjs";

const packages = ["prometheus"];

/**
 * Sees to it that the tests of `/metrics` have a Prometheus: installs Debian's where that needs no question, without its service; else says what to do. Never fails:
 * they are then skipped with the reason.
 */
export async function ensurePrometheus(say) {
  if (isThere()) return;
  const command = aptCommand(packages);
  if (!canAptInstall()) {
    say(`Prometheus is missing; the tests of /metrics ask it. Install it: sudo ${command}`);
    return;
  }
  say(`Installing Prometheus for the tests: ${command} ...`);
  const failure = await aptInstall(packages, isThere, say);
  if (failure !== null) say(`Prometheus could not be installed:\n${failure}`);
  // It is for tests: the machine shall not begin to run it at its next start either.
  else await runForOutput("systemctl", ["disable", "prometheus"]);
}

function isThere() {
  return findCommand("prometheus") !== null && findCommand("promtool") !== null;
}
