import { MiB, fixedLimits } from "../domain/limits.ts";

/** The platform's folder inside a sandbox that has a view of its own. */
export const INSIDE = "/opt/isola";
/** Of the code's folder: room for the largest package, its folders and what the runtime writes beside it. */
export const TASK_BYTES = fixedLimits.packageUnpackedBytesMax + 10 * MiB;
export const SHM_BYTES = 16 * MiB;
