import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { isReachableByAll } from "../images/host-view.ts";

/**
 * A folder for sockets that are mounted into sandboxes. Users of sandboxes may pass it but not list it: the sandbox of a server that is root runs as a user of its own.
 * Made when it is first needed.
 */
export class SocketFolder {
  readonly #prefix: string;
  readonly #record: string;
  #dir: string | null = null;

  /** `record`: a file that remembers the folder, so that the next start removes what a kill left. */
  constructor(prefix: string, record: string) {
    this.#prefix = prefix;
    this.#record = record;
    this.#removeLeftover();
  }

  get path(): string {
    // Whoever cleans folders for temporary files may have taken it.
    if (this.#dir !== null && isOwnFolder(this.#dir)) return this.#dir;
    const dir = mkdtempSync(join(parentFolder(), this.#prefix));
    writeFileSync(this.#record, dir, { mode: 0o600 });
    chmodSync(dir, 0o711);
    this.#dir = dir;
    return dir;
  }

  close(): void {
    if (this.#dir === null) return;
    rmSync(this.#dir, { recursive: true, force: true });
    rmSync(this.#record, { force: true });
    this.#dir = null;
  }

  #removeLeftover(): void {
    let dir: string;
    try {
      dir = readFileSync(this.#record, "utf8");
    } catch {
      return; // nothing was left
    }
    if (parents().includes(dirname(dir)) && basename(dir).startsWith(this.#prefix))
      rmSync(dir, { recursive: true, force: true });
    rmSync(this.#record, { force: true });
  }
}

/** Folders for temporary files, the preferred one first. */
function parents(): string[] {
  return [tmpdir(), "/tmp", "/var/tmp"];
}

/** One that users of sandboxes may pass: that of the environment may be the server's alone. */
function parentFolder(): string {
  return parents().find((folder) => existsSync(folder) && isReachableByAll(folder)) ?? tmpdir();
}

/** Somebody else may make one of the same name once it was removed. */
function isOwnFolder(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}
