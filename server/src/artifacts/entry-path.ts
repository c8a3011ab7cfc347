import { PATH_BYTES_MAX, PATH_DEPTH_MAX, PATH_SEGMENT_BYTES_MAX } from "./package-limits.ts";
import { invalidEntry } from "./refusal.ts";

/**
 * The path of an entry as the package keeps it: relative, `/` between segments, none after the last. A leading `./` (which `tar` writes) and the slash
 * after a folder are taken off; the empty string is the root. Everything that could lead elsewhere, or be read differently elsewhere, is `invalid_package`.
 */
export function entryPath(name: string): string {
  const inner = name.replace(/^(\.\/)+/, "").replace(/\/$/, "");
  if (inner === "" && name !== "") return name.startsWith("/") ? refuse(name, absolute) : "";
  if (inner === "." && name.startsWith(".")) return "";
  checkCharacters(name);
  if (name.startsWith("/") || inner.startsWith("/")) refuse(name, absolute);
  if (/^[A-Za-z]:/.test(inner)) refuse(name, "begins with a drive letter; paths are relative");
  const segments = inner.split("/");
  for (const segment of segments) checkSegment(name, segment);
  if (Buffer.byteLength(inner) > PATH_BYTES_MAX) {
    refuse(name, `has a path longer than ${PATH_BYTES_MAX} bytes`);
  }
  if (segments.length > PATH_DEPTH_MAX) {
    refuse(name, `lies deeper than ${PATH_DEPTH_MAX} folders`);
  }
  return inner;
}

const absolute = "is an absolute path; paths are relative to the package";

function checkCharacters(name: string): void {
  if (name === "") refuse(name, "has no name");
  if (!name.isWellFormed() || name.includes("\u{FFFD}")) {
    refuse(name, "has a name that is not valid UTF-8");
  }
  if (/[\p{Cc}\u2028\u2029]/u.test(name)) refuse(name, "has a control character in its name");
  if (name.includes("\\")) refuse(name, "has a backslash in its name; folders are divided by /");
}

function checkSegment(name: string, segment: string): void {
  if (segment === "") refuse(name, "has an empty segment in its path");
  if (segment === ".") refuse(name, 'has the segment "." in its path');
  if (segment === "..") refuse(name, 'has the segment ".." in its path, which leads out of it');
  if (Buffer.byteLength(segment) > PATH_SEGMENT_BYTES_MAX) {
    refuse(name, `has a segment longer than ${PATH_SEGMENT_BYTES_MAX} bytes`);
  }
}

function refuse(name: string, rule: string): never {
  throw invalidEntry(name, rule);
}
