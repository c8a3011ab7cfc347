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
import { RegistryProxy } from "./registry-proxy.ts";
import type { RegistryRoute } from "./registry-route.ts";

const PREFIX = "isola-builds-";
/** Where a build sandbox finds it. */
const INSIDE = "/opt/isola/registries.sock";

export interface OpenSocket {
  socket: { from: string; at: string };
  close(): Promise<void>;
}

/**
 * One socket for each build that runs, in a folder that users of sandboxes may pass but not list: the sandbox of a server that is root runs as a user of its own.
 * What stands behind each is only the way to the registries.
 */
export class BuildSockets {
  readonly #route: RegistryRoute;
  readonly #record: string;
  #dir: string | null = null;

  /** `runDir` remembers the folder, so that the next start removes what a kill left. */
  constructor(route: RegistryRoute, runDir: string) {
    this.#route = route;
    this.#record = join(runDir, "builds-dir");
    this.#removeLeftover();
  }

  async open(id: string): Promise<OpenSocket> {
    const proxy = new RegistryProxy(this.#route);
    const from = join(this.#folder(), `${id}.sock`);
    await proxy.listen(from);
    chmodSync(from, 0o666);
    return {
      socket: { from, at: INSIDE },
      close: async () => {
        await proxy.close();
        rmSync(from, { force: true });
      },
    };
  }

  close(): void {
    if (this.#dir === null) return;
    rmSync(this.#dir, { recursive: true, force: true });
    rmSync(this.#record, { force: true });
    this.#dir = null;
  }

  #folder(): string {
    // Whoever cleans folders for temporary files may have taken it.
    if (this.#dir !== null && isOwnFolder(this.#dir)) return this.#dir;
    const dir = mkdtempSync(join(parentFolder(), PREFIX));
    writeFileSync(this.#record, dir, { mode: 0o600 });
    chmodSync(dir, 0o711);
    this.#dir = dir;
    return dir;
  }

  #removeLeftover(): void {
    let dir: string;
    try {
      dir = readFileSync(this.#record, "utf8");
    } catch {
      return; // nothing was left
    }
    if (parents().includes(dirname(dir)) && basename(dir).startsWith(PREFIX))
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
