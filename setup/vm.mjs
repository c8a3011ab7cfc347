import { join } from "node:path";
import { aptCommand, aptInstall, canAptInstall } from "./apt.mjs";
import { root } from "./pinned-node.mjs";
import { findCommand, runForOutput, toolEnvironment } from "./processes.mjs";

const packages = ["qemu-system-x86", "erofs-utils", "gcc", "libc6-dev"];
const commands = ["qemu-system-x86_64", "mkfs.erofs", "cc"];

/**
 * What tests with virtual machines need: QEMU, which needs no help of the processor, and the guest. Installed and made where that needs no question (root, apt-get).
 * Resolves with the folder of the guest for `VM_GUEST_FOLDER`, or null after saying what is missing. Never fails: these tests are then skipped with the reason.
 */
export async function ensureVm(node, say) {
  const folder = process.env.VM_GUEST_FOLDER || join(root, ".cache", "vm");
  if (process.platform !== "linux" || process.arch !== "x64") {
    say("Tests with virtual machines run on x64 Linux only; here they are skipped.");
    return null;
  }
  if (!(await install(say))) return null;
  const env = toolEnvironment(node, root);
  const args = [join(root, "setup", "vm-guest.ts"), folder];
  const { code, output } = await runForOutput(node, args, { env });
  if (code === 0) return folder;
  say(
    `The guest of virtual machines could not be made; tests that need it are skipped:\n${output}`,
  );
  return null;
}

async function install(say) {
  const isMissing = () => commands.some((name) => findCommand(name) === null);
  if (!isMissing()) return true;
  const command = aptCommand(packages);
  if (!canAptInstall()) {
    say("Tests with virtual machines are skipped. To have them, on Debian as root:");
    say(`  ${command}`);
    return false;
  }
  say(`Installing virtual machines for the tests: ${command} ...`);
  const failure = await aptInstall(packages, () => !isMissing(), say);
  if (failure === null) return true;
  say(`They could not be installed, so tests that need them are skipped:\n${failure}`);
  return false;
}
