import { overheadMiB } from "../../domain/function.ts";
import { MiB } from "../../domain/limits.ts";
import type { SandboxLimits } from "../driver.ts";

/** The first process, which reaps. */
const INIT_PROCESSES = 1;
/** Threads that gVisor's kernel has on the host: some of its own, and some for each of the function's. */
const HOST_THREADS = 256;
const HOST_THREADS_EACH = 4;

/** What all processes of a sandbox may take on the host, so that the function has its limits. The number of its processes is kept by gVisor's kernel, from the start of the sandbox on: throws where it is another one than it was started for. */
export function hostLimits(
  { memoryBytes, pidsMax }: SandboxLimits,
  started: SandboxLimits,
): SandboxLimits {
  if (pidsMax !== started.pidsMax)
    throw new Error(`it was started for ${started.pidsMax} processes, not for ${pidsMax}`);
  return {
    memoryBytes: memoryBytes + overheadMiB.gvisor * MiB,
    pidsMax: HOST_THREADS + HOST_THREADS_EACH * processesInside(pidsMax),
  };
}

/** What gVisor's kernel counts, for a function that may have so many. */
export function processesInside(pidsMax: number): number {
  return pidsMax + INIT_PROCESSES;
}
