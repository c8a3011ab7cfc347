import { findCommand, runForOutput } from "./processes.mjs";

const COMMAND = "apt-get install -y --no-install-recommends chromium fonts-dejavu-core";

/** Sees to it that the tests of the console have a browser: installs Debian's where that needs no question, else says what to do. Resolves with its path, or null. */
export async function ensureChromium(say) {
  const found = findChromium();
  if (found !== null) return found;
  if (findCommand("apt-get") === null || process.getuid?.() !== 0) {
    say(`Chromium is missing; the tests of the console run in it. Install it: sudo ${COMMAND}`);
    return null;
  }
  say(`Installing Chromium: ${COMMAND} ...`);
  for (const first of [null, ["update"]]) {
    if (first !== null) await runForOutput("apt-get", first);
    const [tool, ...args] = COMMAND.split(" ");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    await runForOutput(tool, args, { env });
    const path = findChromium();
    if (path !== null) return path;
  }
  say(`Chromium could not be installed; \`${COMMAND}\` says why.`);
  return null;
}

function findChromium() {
  return findCommand("chromium") ?? findCommand("chromium-browser") ?? findCommand("google-chrome");
}
