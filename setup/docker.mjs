import { join } from "node:path";
import { aptCommand, aptInstall, canAptInstall } from "./apt.mjs";
import { findCommand, runForOutput, toolEnvironment } from "./processes.mjs";
import { ensureGvisor } from "./gvisor.mjs";
import {
  answers,
  ownEngine,
  refreshRuntimes,
  startEngine,
  stopEngine,
  takeEngine,
} from "./own-engine.mjs";
import { root } from "./pinned-node.mjs";

const SYSTEM_HOST = "unix:///var/run/docker.sock";
const packages = ["docker.io", "iptables", "iproute2", "slirp4netns", "mmdebstrap"];
const commands = ["dockerd", "iptables", "ip", "slirp4netns", "mmdebstrap"];

/**
 * A Docker Engine for the tests, with the images of sandboxes in it: the one that DOCKER_HOST names or of this machine, where it answers; else one of this checkout,
 * which is installed and started where that needs no question (root, apt-get). Resolves with its address and how to end what was started for it, or null after saying
 * what is missing. Never fails: tests that need an engine are then skipped with the reason.
 * @returns {Promise<{ host: string, close: () => Promise<void> } | null>}
 */
export async function ensureDocker(node, say) {
  // What `engine.mjs start` has printed may still be set when that engine is gone.
  const isOwn = process.env.DOCKER_HOST === ownEngine().host;
  const given = isOwn ? undefined : process.env.DOCKER_HOST;
  const host = given ?? SYSTEM_HOST;
  const isFound = !isOwn && (await answers(host));
  const engine = isFound ? { host, async close() {} } : null;
  if (engine === null && given) {
    say(`No Docker Engine answers at DOCKER_HOST=${given}; tests that need one are skipped.`);
    return null;
  }
  const found = engine ?? (await openOwnEngine(say));
  if (found === null || (await ensureImages(node, found.host, say))) return found;
  await found.close();
  return null;
}

/** Ours: one that runs, by hand or of another run that has not ended, or a new one. */
async function openOwnEngine(say) {
  const engine = ownEngine();
  const runs = await answers(engine.host);
  if (!runs && !(await install(say))) return null;
  await ensureGvisor(say);
  if (runs) await refreshRuntimes(engine);
  else {
    try {
      await startEngine(engine);
    } catch (error) {
      say(`No Docker Engine for the tests: ${error.message}`);
      return null;
    }
  }
  const isOurs = takeEngine(engine);
  return { host: engine.host, close: async () => void (isOurs && (await stopEngine(engine))) };
}

/** Installs what an engine of our own needs. */
async function install(say) {
  const isMissing = () => commands.some((name) => findCommand(name) === null);
  if (!isMissing() && isRoot()) return true;
  const command = aptCommand(packages);
  if (!canAptInstall()) {
    say("No Docker Engine answers, so tests of the docker driver are skipped. To have them:");
    say("  start one (`systemctl start docker`), or set DOCKER_HOST;");
    say(`  or on Debian as root: ${command}, and then \`npm test\` as root starts one of its own`);
    return false;
  }
  say(`Installing a Docker Engine for the tests: ${command} ...`);
  const failure = await aptInstall(packages, () => !isMissing(), say);
  if (failure === null) return true;
  say(`It could not be installed, so tests that need it are skipped:\n${failure}`);
  return false;
}

/** Bases are made of this machine's packages where that is possible, as tests should not need a registry; else they are fetched. */
async function ensureImages(node, host, say) {
  const canBootstrap = isRoot() && findCommand("mmdebstrap") !== null;
  say(`Docker Engine for the tests: ${host}; looking after its images ...`);
  const args = [join(root, "setup", "docker-images.ts"), ...(canBootstrap ? ["--offline"] : [])];
  const env = { ...toolEnvironment(node, root), DOCKER_HOST: host };
  const { code, output } = await runForOutput(node, args, { env });
  if (code === 0) return true;
  say(`The images of sandboxes could not be made, so tests that need them are skipped:\n${output}`);
  return false;
}

function isRoot() {
  return process.getuid?.() === 0;
}
