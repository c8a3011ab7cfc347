import { readFileSync, statSync } from "node:fs";

export const SMALL_FILE_BYTES_MAX = 1_048_576;

/** The text of a file that a person wrote, without a byte order mark. Throws an `Error` whose message goes behind the file's name; pipes and devices are refused, as they might not end. */
export function readSmallFile(path: string): string {
  const status = statSync(path);
  if (!status.isFile()) throw new Error("expected a file, given something else");
  if (status.size > SMALL_FILE_BYTES_MAX)
    throw new Error(`expected at most 1 MiB, given ${status.size} bytes`);
  return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
}
