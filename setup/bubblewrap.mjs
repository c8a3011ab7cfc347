import { aptCommand, aptInstall, canAptInstall } from "./apt.mjs";
import { findCommand, runForOutput } from "./processes.mjs";

const packages = ["bubblewrap"];
const installers = [
  ["apt-get", aptCommand(packages)],
  ["dnf", "dnf install -y bubblewrap"],
  ["apk", "apk add bubblewrap"],
  ["pacman", "pacman -S --noconfirm bubblewrap"],
  ["zypper", "zypper install -y bubblewrap"],
];

const acceptance =
  "Without it functions would be ordinary child processes (isolation tier `none`): start with ISOLA_ACCEPT_NO_ISOLATION=true to accept that.";

/**
 * Sees to it that the process driver can isolate. Installs bubblewrap where that needs no question (root, apt-get); else says what to do. Never fails: the
 * server starts without it and refuses what it cannot isolate.
 */
export async function ensureBubblewrap(say) {
  if (process.platform !== "linux") {
    say(`No isolation here: the process driver isolates on Linux only. ${acceptance}`);
    return;
  }
  if (!findCommand("bwrap") && !(await install(say))) return;
  const trial = ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"];
  const { code, output } = await runForOutput("bwrap", trial);
  if (code === 0) return;
  say(`bubblewrap is installed but cannot make a sandbox: ${output.trim()}`);
  say(
    "Unprivileged user namespaces are probably switched off: `sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0` allows them.",
  );
  say(acceptance);
}

async function install(say) {
  const [, command] = installers.find(([name]) => findCommand(name)) ?? [];
  if (!canAptInstall()) {
    const isRoot = process.getuid?.() === 0;
    say("bubblewrap is missing; the process driver isolates functions with it.");
    say(`Install it: ${command ? `${isRoot ? "" : "sudo "}${command}` : "package `bubblewrap`"}`);
    say(acceptance);
    return false;
  }
  say(`Installing bubblewrap: ${command} ...`);
  const failure = await aptInstall(packages, () => findCommand("bwrap") !== null, say);
  if (failure === null) return true;
  say(`bubblewrap could not be installed:\n${failure}\n${acceptance}`);
  return false;
}
