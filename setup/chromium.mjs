import { aptCommand, aptInstall, canAptInstall } from "./apt.mjs";
import { findCommand } from "./processes.mjs";

const packages = ["chromium", "fonts-dejavu-core"];

/** Sees to it that the tests of the console have a browser: installs Debian's where that needs no question, else says what to do. Resolves with its path, or null. */
export async function ensureChromium(say) {
  const found = findChromium();
  if (found !== null) return found;
  const command = aptCommand(packages);
  if (!canAptInstall()) {
    say(`Chromium is missing; the tests of the console run in it. Install it: sudo ${command}`);
    return null;
  }
  say(`Installing Chromium: ${command} ...`);
  const failure = await aptInstall(packages, () => findChromium() !== null, say);
  if (failure !== null) say(`Chromium could not be installed:\n${failure}`);
  return findChromium();
}

function findChromium() {
  return findCommand("chromium") ?? findCommand("chromium-browser") ?? findCommand("google-chrome");
}
