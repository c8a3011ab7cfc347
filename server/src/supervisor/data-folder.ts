import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type DataLock, lockDataDir, unusable } from "./lock.ts";

/** The data folder of a running server: locked, with its identity and a place for sockets. */
export interface DataFolder {
  nodeId: string;
  runDir: string;
  gatewaySocketPath: string;
  /** Leaves the API's URL in `api-url`, where the command line finds it as long as this server runs. */
  announce(apiUrl: string): void;
  /** Idempotent. */
  release(): void;
}

/** A unix socket's address holds 104 bytes on macOS, 108 on Linux, with the NUL. */
const SOCKET_PATH_BYTES_MAX = 100;
const SOCKET_DIR_PREFIX = "isola-sockets-";
/** In here a restore lays down what it reads; it goes away last. */
export const RESTORING_DIR = "restoring";
/** Files of a process that was killed before it gave them their names. */
const HALF_WRITTEN = /^(?:admin-key\.[0-9a-f]{12}|(?:api-url|node-id)\.new)$/;

/** Throws `data_locked`, or `invalid_settings` where the folder cannot be made or written. */
export function openDataFolder(dir: string): DataFolder {
  const runDir = join(dir, "run");
  try {
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    chmodSync(runDir, 0o700);
  } catch (cause) {
    throw unusable(dir, cause);
  }
  const lock = lockDataDir(dir, runDir);
  try {
    refuseHalfRestored(dir);
    return makeFolder(dir, runDir, lock);
  } catch (cause) {
    lock.release();
    throw unusable(dir, cause);
  }
}

/** Half of a backup must not begin to live: what is missing would be made anew. */
function refuseHalfRestored(dir: string): void {
  if (!existsSync(join(dir, RESTORING_DIR))) return;
  throw new Error(
    `a restore into it was cut short (${RESTORING_DIR}): remove all that is in it and restore again`,
  );
}

function makeFolder(dir: string, runDir: string, lock: DataLock): DataFolder {
  for (const name of readdirSync(dir))
    if (HALF_WRITTEN.test(name)) rmSync(join(dir, name), { force: true });
  const record = join(runDir, "socket-dir");
  removeSocketDir(record);
  const socketDir = chooseSocketDir(runDir, record);
  const urlPath = join(dir, "api-url");
  rmSync(urlPath, { force: true }); // of a server that was killed
  let isReleased = false;
  return {
    nodeId: readNodeId(join(dir, "node-id")),
    runDir,
    gatewaySocketPath: join(socketDir, "gateway.sock"),
    announce(apiUrl) {
      writeFileSync(`${urlPath}.new`, `${apiUrl}\n`, { mode: 0o600 });
      renameSync(`${urlPath}.new`, urlPath);
    },
    release() {
      if (isReleased) return;
      isReleased = true;
      rmSync(urlPath, { force: true });
      removeSocketDir(record);
      lock.release();
    },
  };
}

/** A fresh name for one life of one process; part of the names of its sandboxes. */
export function newBootId(): string {
  return randomBytes(6).toString("hex");
}

function readNodeId(path: string): string {
  const known = readIfThere(path)?.trim();
  if (known && /^node-[0-9a-f]{12}$/.test(known)) return known;
  const nodeId = `node-${randomBytes(6).toString("hex")}`;
  const temporary = `${path}.new`;
  const file = openSync(temporary, "w", 0o600);
  writeFileSync(file, `${nodeId}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(temporary, path);
  return nodeId;
}

/** `runDir` itself, or a private folder with a short path whose place is written down so that the next start removes what a kill left. */
function chooseSocketDir(runDir: string, record: string): string {
  if (Buffer.byteLength(join(runDir, "gateway.sock")) <= SOCKET_PATH_BYTES_MAX) return runDir;
  const socketDir = mkdtempSync(join(tmpdir(), SOCKET_DIR_PREFIX));
  writeFileSync(record, socketDir);
  return socketDir;
}

function removeSocketDir(record: string): void {
  const socketDir = readIfThere(record);
  if (socketDir === null) return;
  const isOurs =
    dirname(socketDir) === tmpdir() && basename(socketDir).startsWith(SOCKET_DIR_PREFIX);
  if (isOurs) rmSync(socketDir, { recursive: true, force: true });
  rmSync(record, { force: true });
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
