import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../command.ts";
import { type Contexts, parseContexts } from "./contexts.ts";

const BYTES_MAX = 1 << 20;
const LOCK_WAIT_MS = 5_000;
const LOCK_RETRY_MS = 20;

/** `$XDG_CONFIG_HOME/isola/contexts.json`, by default in `~/.config`. */
export function contextsPath(env: NodeJS.ProcessEnv): string {
  const given = env.XDG_CONFIG_HOME;
  // A relative path is to be ignored: XDG Base Directory Specification.
  const base = given && isAbsolute(given) ? given : join(env.HOME || homedir(), ".config");
  return join(base, "isola", "contexts.json");
}

/** Fails where the file is damaged, or holds keys that others could read. */
export function readContexts(path: string): Contexts {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe in its place must not hang
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return { current: null, contexts: new Map() };
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`);
  }
  try {
    refuseOpenFile(path, file);
    return parseContexts(readFileSync(file, "utf8"), path);
  } finally {
    closeSync(file);
  }
}

function refuseOpenFile(path: string, file: number): void {
  const { mode, uid, size } = fstatSync(file, { bigint: false });
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new Failure(`${path} is no file`);
  if (size > BYTES_MAX) throw new Failure(`${path} is larger than ${BYTES_MAX} bytes: no contexts`);
  const own = process.getuid?.();
  if (own === undefined) return; // no such modes on this system
  if (uid !== own && own !== 0)
    throw new Failure(`${path} belongs to another user (uid ${uid}): remove it, or \`chown\` it`);
  if ((mode & 0o077) !== 0)
    throw new Failure(
      `${path} holds keys and others may reach it (mode ${(mode & 0o777).toString(8)}): chmod 600 ${path}`,
    );
}

/** Reads, changes and replaces the file, one process at a time. Where `change` throws nothing is written. */
export async function changeContexts(
  path: string,
  change: (contexts: Contexts) => void,
  signal: AbortSignal,
): Promise<void> {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const lock = await takeLock(`${path}.lock`, signal);
  // No turn of the event loop until the lock is given back: Ctrl-C does not leave it behind.
  try {
    const contexts = readContexts(path);
    change(contexts);
    replace(path, contexts);
  } finally {
    closeSync(lock);
    rmSync(`${path}.lock`, { force: true });
  }
}

async function takeLock(path: string, signal: AbortSignal): Promise<number> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      const lock = openSync(path, "wx", 0o600);
      writeSync(lock, `${process.pid}\n`);
      return lock;
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
    }
    if (performance.now() > deadline)
      throw new Failure(
        `${path} is there since ${LOCK_WAIT_MS} ms: another isola changes the contexts. If none runs, one was killed meanwhile: remove that file`,
      );
    await delay(LOCK_RETRY_MS, undefined, { signal });
  }
}

function replace(path: string, { current, contexts }: Contexts): void {
  const target = targetOf(path);
  const draft = `${target}.${process.pid}.tmp`;
  const text = JSON.stringify({ current, contexts: Object.fromEntries(contexts) }, null, 2);
  rmSync(draft, { force: true }); // of a process of that number that was killed here
  const file = openSync(draft, "wx", 0o600);
  try {
    writeSync(file, `${text}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Where the file is a link, what it leads to is replaced. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // not there yet
  }
}

function isSystemError(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
