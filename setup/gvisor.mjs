import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aptGet, canAptInstall } from "./apt.mjs";
import { findCommand, runForOutput } from "./processes.mjs";

/** The first year whose runsc has the platform systrap; older ones only know ptrace, which takes many times as long. */
const YEAR_LEAST = 2024;

/**
 * Sees to it that the tests' Docker Engine can have gVisor as a runtime: installs runsc where that needs no question (root, Debian). Never fails: what needs it is
 * then skipped with the reason.
 */
export async function ensureGvisor(say) {
  if (await isFit()) return;
  const codename = debianCodename();
  if (codename === null || !canAptInstall()) {
    say("runsc is missing or too old, so tests of the gvisor driver are skipped. To have them:");
    say("  on Debian as root `npm test` installs it: apt-get install runsc, of backports where");
    say(
      `  the release's own is older than ${YEAR_LEAST}; elsewhere: https://gvisor.dev/docs/user_guide/install/`,
    );
    return;
  }
  const output = await install(codename, say);
  if (await isFit()) return;
  const last = output.trim().split("\n").slice(-3).join("\n");
  say(`runsc could not be installed, so tests of the gvisor driver are skipped:\n${last}`);
}

async function isFit() {
  if (findCommand("runsc") === null) return false;
  return yearOf((await runForOutput("runsc", ["--version"])).output) >= YEAR_LEAST;
}

/** Of a version like `0.0~20240729.0-4` or `release-20250101.0`; 0 where there is none. */
export function yearOf(version) {
  return Number(/(\d{4})\d{4}\./.exec(version)?.[1] ?? 0);
}

async function install(codename, say) {
  const { output } = await runForOutput("apt-cache", ["policy", "runsc"]);
  const candidate = /Candidate: (\S+)/.exec(output)?.[1] ?? "";
  if (yearOf(candidate) >= YEAR_LEAST) {
    say("Installing gVisor for the tests: apt-get install runsc ...");
    return await installWith([]);
  }
  say(`Installing gVisor for the tests: apt-get install runsc, of ${codename}-backports ...`);
  return await withBackports(codename, async (options) => {
    const { code, output: told } = await aptGet(["update", ...options]);
    return code === 0 ? await installWith(options) : told;
  });
}

async function installWith(options) {
  const args = ["install", "-y", "--no-install-recommends", ...options, "runsc"];
  return (await aptGet(args)).output;
}

/** Gives options for `apt-get` by which it knows these packages alone; the machine's own sources and lists stay as they are. */
async function withBackports(codename, use) {
  const dir = mkdtempSync(join(tmpdir(), "isola-apt-"));
  try {
    mkdirSync(join(dir, "lists", "partial"), { recursive: true });
    const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    const source = `deb [signed-by=${keyring}] http://deb.debian.org/debian ${codename}-backports main\n`;
    writeFileSync(join(dir, "sources.list"), source);
    const settings = {
      "Dir::Etc::sourcelist": join(dir, "sources.list"),
      "Dir::Etc::sourceparts": "-",
      "Dir::State::lists": join(dir, "lists"),
      // Otherwise root's temporary folder cannot be read by the user that fetches, which apt then says.
      "APT::Sandbox::User": "root",
    };
    return await use(
      Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** `bookworm`; null on anything but Debian. */
function debianCodename() {
  try {
    const text = readFileSync("/etc/os-release", "utf8");
    if (!/^ID=debian$/m.test(text)) return null;
    return /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] ?? null;
  } catch {
    return null; // another kind of system
  }
}
