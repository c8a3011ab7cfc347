import { aptCommand, aptInstall, canAptInstall } from "./apt.mjs";
import { findCommand } from "./processes.mjs";

const shells = ["zsh", "fish"];

/** Sees to it that the tests of completion have the shells that it is for, where that needs no question; else says what to do. Never fails: they are then skipped. */
export async function ensureShells(say) {
  const missing = shells.filter((shell) => findCommand(shell) === null);
  if (missing.length === 0) return;
  const command = aptCommand(missing);
  if (!canAptInstall()) {
    say(
      `${missing.join(", ")} missing; the tests of completion ask them. Install: sudo ${command}`,
    );
    return;
  }
  say(`Installing shells for the tests: ${command} ...`);
  const isThere = () => missing.every((shell) => findCommand(shell) !== null);
  const failure = await aptInstall(missing, isThere, say);
  if (failure !== null) say(`The shells could not be installed:\n${failure}`);
}
