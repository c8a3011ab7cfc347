import { availableParallelism } from "node:os";
import { machineRam } from "../../domain/function.ts";
import { MiB } from "../../domain/limits.ts";
import type { SandboxLimits } from "../driver.ts";
import type { MachineShape } from "./vmm.ts";

/** Of a guest with processors of its own; an emulated one is not faster by more. */
const VCPUS_MAX = 2;
/** Threads of a VMM on the host. */
export const HOST_THREADS_MAX = 128;

/** A machine in which a function with these limits finds its memory, and room for its code. */
export function shapeFor(
  { memoryBytes }: SandboxLimits,
  accelerator: "kvm" | "emulation",
): MachineShape {
  return {
    memoryMiB: machineRam.mibFor(Math.ceil(memoryBytes / MiB)),
    vcpus: accelerator === "kvm" ? Math.min(VCPUS_MAX, availableParallelism()) : 1,
  };
}

/** Throws where the machine has not the memory that the limits promise. */
export function requireRoom({ memoryMiB }: MachineShape, { memoryBytes }: SandboxLimits): void {
  const mostMiB = machineRam.limitMiBMax(memoryMiB);
  if (memoryBytes > mostMiB * MiB)
    throw new Error(
      `the machine was started with ${memoryMiB} MiB, in which a function has ${mostMiB} MiB at most, not ${Math.ceil(memoryBytes / MiB)}`,
    );
}

/**
 * What the VMM's process may take on the host. `overheadMiB`: its own. One that goes on from a snapshot may have to pay for free memory that it shares with its siblings, too: the kernel
 * charges a page of a file to the first who touches it.
 */
export function hostLimits(
  { memoryMiB }: MachineShape,
  { overheadMiB, isRestored }: { overheadMiB: number; isRestored: boolean },
): SandboxLimits {
  const sharedMiB = isRestored ? memoryMiB : 0;
  return { memoryBytes: (memoryMiB + sharedMiB + overheadMiB) * MiB, pidsMax: HOST_THREADS_MAX };
}
