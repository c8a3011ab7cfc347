import Database from "better-sqlite3";
import { IsolaError, messageOf } from "../../errors.ts";

/** What a person can do about each group of SQLite's result codes; the first that the code begins with holds. */
const plainWords: [prefix: string, words: string][] = [
  ["SQLITE_FULL", "the disk is full: free some space, then try again"],
  [
    "SQLITE_READONLY",
    "it cannot be written: check the owner and the mode of the file and its folder",
  ],
  ["SQLITE_CANTOPEN", "it cannot be opened: check that its folder exists and may be written"],
  ["SQLITE_PERM", "it may not be opened: check the owner and the mode of the file"],
  ["SQLITE_CORRUPT", "it is damaged: stop Isola and restore the data folder from a backup"],
  ["SQLITE_NOTADB", "it is not a database: restore the data folder from a backup"],
  ["SQLITE_IOERR_SHMSIZE", "the disk is full: free some space, then try again"],
  ["SQLITE_IOERR", "the disk reports an error: see the system's log, then try again"],
  ["SQLITE_BUSY", "another process holds it for too long: find and stop it, then try again"],
  ["SQLITE_LOCKED", "another process holds it for too long: find and stop it, then try again"],
  ["SQLITE_NOMEM", "there is no memory left: try again later"],
];

/** Turns failures of the disk or the file into `not_ready`; anything else (a wrong statement, a broken constraint) is a defect and stays as it is. */
export function translateSqliteError(error: unknown, path: string): unknown {
  const words = wordsOf(error);
  if (words === undefined) return error;
  return new IsolaError("not_ready", `The database ${path} is not usable: ${words}.`, {
    cause: error,
  });
}

function wordsOf(error: unknown): string | undefined {
  if (error instanceof Database.SqliteError) {
    return plainWords.find(([prefix]) => error.code.startsWith(prefix))?.[1];
  }
  const isMissingFolder = error instanceof TypeError && /directory/.test(messageOf(error));
  return isMissingFolder ? "its folder does not exist: create it" : undefined;
}
