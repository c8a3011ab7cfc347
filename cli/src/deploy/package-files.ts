import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, matchesGlob } from "node:path";
import { requestLimits } from "@isola/api/limits";
import yazl from "yazl";
import { Failure, usageFailure } from "../command.ts";
import { DEFINITION_FILE } from "./definition.ts";

/** A file of a package: its path with `/`, relative to the folder. */
export interface PackageFile {
  path: string;
  bytes: Buffer;
  isExecutable: boolean;
}

export const IGNORE_FILE = ".isolaignore";
/** Where `isola dev` keeps a server of its own. */
export const DEV_FOLDER = ".isola";
const UNPACKED_BYTES_MAX = 250 * 1_048_576;
/** Well below what a packed package may have. */
const STORED_BYTES_MAX = 32 * 1_048_576;
/** Never part of a function. `.bin` holds links for a developer's shell. */
const ignoredNames = new Set([
  ...[".git", ".DS_Store", "__pycache__", ".bin", "4913"],
  ...[IGNORE_FILE, DEV_FOLDER],
]);
/** What vim, emacs and others keep beside a file while it is edited, as `4913` above. */
const editorFile = /^(?:\..+\.sw[a-p]|.+~|\.#.+|#.+#)$/;

/**
 * The files of a folder, sorted. Left out: what `.isolaignore` names (a name, or a path with `*`, a line), version control, and the data folder of a server. A link
 * to a file is the file; a link to a folder is refused, because what it would bring is not visible here.
 */
export function readPackageFiles(dir: string): PackageFile[] {
  if (!existsSync(dir)) throw usageFailure(`There is no folder ${dir}`);
  const isLeftOut = leftOutOf(dir);
  const files: PackageFile[] = [];
  const rest = [""];
  let bytes = 0;
  for (let folder = rest.pop(); folder !== undefined; folder = rest.pop()) {
    for (const entry of readdirSync(join(dir, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (isLeftOut(path)) continue;
      if (entry.isDirectory()) {
        rest.push(path);
        continue;
      }
      const file = readPackageFile(dir, path);
      bytes += file.bytes.length;
      files.push(file);
      refuseTooMuch(dir, files.length, bytes);
    }
  }
  if (files.length === 0) throw new Failure(`${dir} holds no file to deploy`);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether a file or folder, by its path with `/` from `dir`, is no part of the package; what is in a folder that is none is not asked about. */
export function leftOutOf(dir: string): (path: string) => boolean {
  const patterns = ignorePatterns(dir);
  return (path) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (ignoredNames.has(name) || editorFile.test(name)) return true;
    if (isIgnored(path, name, patterns)) return true;
    return path === DEFINITION_FILE || isDataFolder(join(dir, path));
  };
}

/**
 * `folders` are entries of their own; those that hold files need none. `isNear`: for a server on this machine, where to compress takes longer than to send; what would be too large
 * without is compressed all the same.
 */
export function zipOf(
  files: readonly PackageFile[],
  folders: readonly string[] = [],
  isNear = false,
): Promise<Buffer<ArrayBuffer>> {
  const zip = new yazl.ZipFile();
  const bytesOfAll = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const compress = !isNear || bytesOfAll > STORED_BYTES_MAX;
  for (const folder of folders) zip.addEmptyDirectory(folder, { mtime: new Date(2000, 0, 1) });
  for (const { path, bytes, isExecutable } of files) {
    const mode = isExecutable ? 0o100755 : 0o100644;
    zip.addBuffer(bytes, path, { mode, mtime: new Date(2000, 0, 1), compress });
  }
  zip.end();
  return collect(zip.outputStream);
}

function readPackageFile(dir: string, path: string): PackageFile {
  // An archive would make folders of it.
  if (path.includes("\\"))
    throw new Failure(`${join(dir, path)} has a backslash in its name; name it in ${IGNORE_FILE}`);
  const status = statSync(join(dir, path));
  if (status.isFile()) {
    return {
      path,
      bytes: readFileSync(join(dir, path)),
      isExecutable: (status.mode & 0o111) !== 0,
    };
  }
  throw new Failure(`${join(dir, path)} is neither a file nor a folder; name it in ${IGNORE_FILE}`);
}

function refuseTooMuch(dir: string, entries: number, bytes: number): void {
  if (entries <= requestLimits.packageEntriesMax && bytes <= UNPACKED_BYTES_MAX) return;
  throw new Failure(
    `${dir} holds more than ${requestLimits.packageEntriesMax} files or ${UNPACKED_BYTES_MAX / 1_048_576} MiB; name what the function does not need in ${IGNORE_FILE}`,
  );
}

function ignorePatterns(dir: string): string[] {
  const path = join(dir, IGNORE_FILE);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .map((line) => line.trim().replace(/^\/|\/$/g, ""))
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function isIgnored(path: string, name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matchesGlob(pattern.includes("/") ? path : name, pattern));
}

function isDataFolder(path: string): boolean {
  return existsSync(join(path, "admin-key")) && existsSync(join(path, "node-id"));
}

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
