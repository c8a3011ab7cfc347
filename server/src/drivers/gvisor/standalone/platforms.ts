import { accessSync, constants, readFileSync } from "node:fs";
import type { Platform } from "./runsc-command.ts";

export type PlatformChoice = "auto" | Platform;

/** The machine as it is. */
const here = {
  /** The processor says that something virtual is below. */
  isVirtual: () => /^flags\b.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "latin1")),
  hasKvm() {
    try {
      accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
      return true;
    } catch {
      return false;
    }
  },
};

/**
 * In the order in which they are tried; a sandbox that runs decides. KVM pays where the processor's own virtualisation is the only one: inside of a virtual machine it
 * costs more than it saves. ptrace is slower than both by far and works nearly everywhere.
 */
export function platformsToTry(choice: PlatformChoice, machine = here): Platform[] {
  if (choice !== "auto") return [choice];
  const isReal = machine.hasKvm() && !machine.isVirtual();
  return [...(isReal ? (["kvm"] as const) : []), "systrap", "ptrace"];
}
