import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Failure, usageFailure } from "../command.ts";

/** Begins the name of the folder in which the files are made before they are put in place. */
const STAGE_PREFIX = ".isola-init-";

/**
 * Writes `files` (text by name, none in a folder) into `target`, a new or an empty folder. With `isForced` there may be other files in it; none is overwritten.
 *
 * All or nothing: the files are made beside their place and then moved into it, a new folder at once. A failure leaves what was there before; a kill in the
 * middle leaves at most a folder `.isola-init-*`, never a file that is cut off.
 */
export function writeProject(
  target: string,
  files: ReadonlyMap<string, string>,
  { isForced }: { isForced: boolean },
): void {
  try {
    const isThere = isFolder(target);
    if (isThere) refuseWhatIsThere(target, [...files.keys()], isForced);
    const base = isThere ? target : nearestFolder(dirname(target));
    const stage = mkdtempSync(join(base, STAGE_PREFIX));
    try {
      for (const [name, text] of files) writeFileSync(join(stage, name), text, { flag: "wx" });
      if (isThere) placeFiles(stage, target, [...files.keys()]);
      else placeFolder(stage, target);
    } finally {
      rmSync(stage, { recursive: true, force: true });
    }
  } catch (error) {
    throw inWords(error, target);
  }
}

/** Throws where `writeProject` would have to refuse this place, whatever the files: before anybody is asked about them. */
export function refuseUnfit(target: string, { isForced }: { isForced: boolean }): void {
  try {
    if (isFolder(target)) refuseWhatIsThere(target, [], isForced);
    else nearestFolder(dirname(target));
  } catch (error) {
    throw inWords(error, target);
  }
}

/** False where there is nothing. Throws where there is something else. */
function isFolder(path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isDirectory()) return true;
  const what = status === undefined ? "a link to what is not there" : "a file, not a folder";
  throw usageFailure(`${path} is ${what}: name a new or an empty folder`);
}

function nearestFolder(path: string): string {
  return isFolder(path) ? path : nearestFolder(dirname(path));
}

function refuseWhatIsThere(target: string, names: readonly string[], isForced: boolean): void {
  const there = readdirSync(target).sort();
  if (there.length > 0 && !isForced) {
    throw usageFailure(
      `${target} is not empty, it holds ${someOf(there)}: name a new folder, or write beside what is there with --force`,
    );
  }
  const isThere = (name: string) =>
    lstatSync(join(target, name), { throwIfNoEntry: false }) !== undefined;
  const taken = names.filter(isThere);
  if (taken.length > 0) throw wouldOverwrite(target, taken);
}

/** One step for all files: who looks sees none or all. */
function placeFolder(stage: string, target: string): void {
  const first = mkdirSync(dirname(target), { recursive: true });
  try {
    chmodSync(stage, 0o777 & ~process.umask());
    renameSync(stage, target);
  } catch (error) {
    if (first !== undefined) removeEmpty(dirname(target), first);
    throw error;
  }
}

function placeFiles(stage: string, target: string, names: readonly string[]): void {
  const placed: string[] = [];
  try {
    for (const name of names) {
      placeFile(join(stage, name), join(target, name));
      placed.push(name);
    }
  } catch (error) {
    for (const name of placed) rmSync(join(target, name), { force: true });
    throw error;
  }
}

/** Never over another file, unlike a rename; file systems without links have to do with the check before. */
function placeFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error))) throw error;
    renameSync(from, to);
  }
}

/** From `path` up to `last`, as long as nobody has put something into them. */
function removeEmpty(path: string, last: string): void {
  for (let folder = path; folder.length >= last.length; folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch {
      return; // another has put something there: it stays
    }
  }
}

function wouldOverwrite(target: string, names: readonly string[]): Failure {
  return usageFailure(
    `${target} has ${someOf(names)} already, and nothing is overwritten: move what is there, or name another folder`,
  );
}

/** What the system refused, in words that say what to do. */
function inWords(error: unknown, target: string): unknown {
  if (error instanceof Failure) return error;
  const why = reasons[codeOf(error)];
  if (why === undefined) return error;
  const path = (error as NodeJS.ErrnoException).path ?? target;
  const stage = path.indexOf(join("/", STAGE_PREFIX));
  const place = stage === -1 ? path : path.slice(0, stage) || "/";
  const told = why.replace("$path", () => place);
  return new Failure(`${target} was not made: ${told}. Nothing was written`);
}

const reasons: Record<string, string> = {
  ENOENT: "nothing can be made there ($path)",
  EACCES: "this user may not write there ($path)",
  EPERM: "this user may not write there ($path)",
  EROFS: "the file system cannot be written ($path)",
  ENOSPC: "the disk is full",
  EDQUOT: "this user's share of the disk is used up",
  EFBIG: "the files are larger than this process may write",
  ENAMETOOLONG: "a name in it is too long for the file system",
  ENOTDIR: "a part of the path is a file",
  ELOOP: "its links lead in a circle",
  EEXIST: "another has made it in the meantime",
  ENOTEMPTY: "another has made it in the meantime",
};

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}

function someOf(names: readonly string[]): string {
  const rest = names.length - NAMES_MAX;
  return names.slice(0, NAMES_MAX).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

const NAMES_MAX = 10;
