import { fixedLimits, MiB } from "../domain/limits.ts";

/** What an uploaded package may be. Each bound is counted on what is actually read and produced, not on what the archive claims. */
export interface PackageLimits {
  /** The upload as it comes, compressed. */
  packageBytesMax: number;
  /** Contents of all files together. */
  unpackedBytesMax: number;
  /** Files and folders, those folders included that only show in the paths of others. */
  entriesMax: number;
}

export const defaultPackageLimits: PackageLimits = {
  packageBytesMax: fixedLimits.packageBytesMax,
  unpackedBytesMax: fixedLimits.packageUnpackedBytesMax,
  entriesMax: fixedLimits.packageEntriesMax,
};

export const PATH_BYTES_MAX = 1024;
export const PATH_SEGMENT_BYTES_MAX = 255;
export const PATH_DEPTH_MAX = 32;

/** Code and data people write shrink 3 to 20 times; what shrinks more than this is made to fill disks. */
export const RATIO_MAX = 200;
/** The ratio is not looked at below this many bytes: small files of zeros are harmless. */
export const RATIO_FREE_BYTES = 16 * MiB;
