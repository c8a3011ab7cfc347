import type { PackageFile } from "./read-tar.ts";

const TEXT_BYTES_MAX = 1_048_576;

/** A package as an editor can show it. */
export interface PackageText {
  /** Text of each file by its path. */
  files: Record<string, string>;
  /** Paths of what is not text, or too long: a package that has some is not put together again from its text. */
  others: string[];
}

export function packageText(files: readonly PackageFile[]): PackageText {
  const found: PackageText = { files: {}, others: [] };
  for (const { path, bytes } of files) {
    const text = bytes.length > TEXT_BYTES_MAX ? null : asText(bytes);
    if (text === null) found.others.push(path);
    else found.files[path] = text;
  }
  return found;
}

function asText(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null; // not UTF-8
  }
}

/** What is wrong with the path of a new file, or null. The server has the last word. */
export function problemOfPath(path: string, taken: readonly string[]): string | null {
  if (path === "") return "expected a path, such as lib/text.mjs";
  if (
    path.startsWith("/") ||
    path.split("/").some((part) => part === "" || part === "." || part === "..")
  )
    return `expected a path below the package, given ${path}`;
  return taken.includes(path) ? "there is a file of that name" : null;
}
