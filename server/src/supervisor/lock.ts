import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { IsolaError, messageOf } from "../errors.ts";

export interface DataLock {
  /** Idempotent. */
  release(): void;
}

/**
 * Makes this process the only Isola on a data folder, or throws `data_locked`. `runDir` must exist. The lock is the kernel's own on an open file, taken
 * through SQLite because Node has no call for it: it ends with the process however that ends, so nothing is ever stale and there is no race to clean up.
 */
export function lockDataDir(dir: string, runDir: string): DataLock {
  const pidPath = join(runDir, "supervisor.pid");
  const database = openDatabase(dir, join(runDir, "lock.db"));
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if (!isBusy(cause)) throw unusable(dir, cause);
    const owner = ownerOf(pidPath);
    throw new IsolaError(
      "data_locked",
      `data folder ${dir} is in use by another Isola (${owner}): stop it, or choose another folder with --data or ISOLA_DATA`,
      { cause },
    );
  }
  noteOwner(pidPath);
  let isHeld = true;
  return {
    release() {
      if (!isHeld) return;
      isHeld = false;
      rmSync(pidPath, { force: true });
      database.close();
    },
  };
}

/** The folder cannot be read or written. */
export function unusable(dir: string, cause: unknown): IsolaError {
  const given = messageOf(cause);
  return new IsolaError("invalid_settings", `data folder ${dir} cannot be used: ${given}`, {
    details: [{ path: "data", expected: "a folder this user may write", given }],
    cause,
  });
}

function openDatabase(dir: string, path: string): Database.Database {
  try {
    return new Database(path, { timeout: 0 });
  } catch (cause) {
    throw unusable(dir, cause);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY");
}

function noteOwner(pidPath: string): void {
  try {
    writeFileSync(pidPath, `${process.pid}\n`);
  } catch {
    // A full disk: the lock holds, only its owner cannot be named to others.
  }
}

function ownerOf(pidPath: string): string {
  try {
    const pid = Number.parseInt(readFileSync(pidPath, "utf8"), 10);
    return Number.isInteger(pid) ? `process ${pid}` : "a process that could not leave its number";
  } catch {
    return "a process that is just starting"; // the owner writes its number right after it has the lock
  }
}
