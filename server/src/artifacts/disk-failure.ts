import { IsolaError } from "../errors.ts";

const words: Record<string, string> = {
  ENOSPC: "the disk is full: free some space, then try again",
  EDQUOT: "the disk quota is used up: raise it or free some space, then try again",
  EFBIG: "the file system takes no file of this size",
  EROFS: "the file system is read-only: mount it writable",
  EACCES: "it may not be used: check the owner and the mode of the folder",
  EPERM: "it may not be used: check the owner and the mode of the folder",
  EIO: "the disk reports an error: see the system's log",
  EMFILE: "too many files are open: raise the limit (ulimit -n)",
  ENFILE: "too many files are open on this machine",
  ENOENT: "a folder is missing: check the data folder",
  ENOTDIR: "a file is where a folder should be: check the data folder",
};

/** What is wrong and what to do, for a failure of the disk; null for anything else. Names no path: callers of functions may read it. */
export function diskProblem(error: unknown): string | null {
  return words[(error as NodeJS.ErrnoException | null)?.code ?? ""] ?? null;
}

/** Turns a failure of the disk into `not_ready`; anything else stays as it is. `what` begins the sentence: `The artifact could not be written`. */
export function asDiskFailure(error: unknown, what: string): unknown {
  const reason = diskProblem(error);
  if (reason === null) return error;
  return new IsolaError("not_ready", `${what}: ${reason}.`, { cause: error });
}
