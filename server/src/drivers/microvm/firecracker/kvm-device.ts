import { accessSync, constants, statSync } from "node:fs";
import { userInfo } from "node:os";
import { messageOf } from "../../../errors.ts";
import type { Missing } from "./find-firecracker.ts";

/** Why the device of the processor's virtualisation cannot be opened; null: it can. That a guest runs with it is another question. */
export function kvmProblem(device: string): Missing | null {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    if (statSync(device).isCharacterDevice()) return null;
    return { problem: `${device} is not a device`, fix: "modprobe kvm_intel || modprobe kvm_amd" };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM")
      return {
        problem: `${device} is not open to ${userInfo().username}`,
        fix: `usermod -a -G kvm ${userInfo().username}, then start the server anew`,
      };
    return {
      problem: `${device} cannot be used, and Firecracker has no other way: ${messageOf(error)}`,
      fix: "modprobe kvm_intel || modprobe kvm_amd; in a virtual machine, its host must allow nested virtualisation",
    };
  }
}
