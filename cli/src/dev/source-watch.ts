import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { Failure } from "../command.ts";
import { DEV_FOLDER, IGNORE_FILE, leftOutOf } from "../deploy/package-files.ts";

/** Folders watched at once; more is somebody else's code. */
const FOLDERS_MAX = 4096;
/** What an installation writes, by the thousand; the manifests beside it change with it. */
const unwatchedNames = new Set(["node_modules", ".venv", "venv", ".git", DEV_FOLDER]);

/** What is looked at: folders of code with all that is part of the package, and single files, which need not exist. */
export interface Sources {
  folders: readonly string[];
  files: readonly string[];
}

interface Root {
  isLeftOut: (path: string) => boolean;
  /** By path. */
  folders: Map<string, FSWatcher>;
  /** Of the folder itself; null: it does not exist. */
  inode: number | null;
}

/**
 * Tells of each change in the sources, of what is written by renaming too. What `.isolaignore` names is not looked at. Folders that appear are watched from then on, those
 * that go are forgotten. Life: `open -> closed`.
 */
export class SourceWatch {
  readonly #onChange: () => void;
  readonly #onProblem: (problem: Failure) => void;
  readonly #roots = new Map<string, Root>();
  /** Names of interest in a folder: single files, which an editor may replace, and the folders of code, which may go and come back. */
  readonly #entries = new Map<string, { names: Set<string>; watcher: FSWatcher }>();

  /** `onProblem`: a folder that has appeared cannot be watched. */
  constructor(onChange: () => void, onProblem: (problem: Failure) => void) {
    this.#onChange = onChange;
    this.#onProblem = onProblem;
  }

  /** From now on these, and no others. Throws where the system allows no more watches. */
  look({ folders, files }: Sources): void {
    for (const [folder, root] of this.#roots)
      if (!folders.includes(folder)) this.#drop(folder, root);
    for (const folder of new Set(folders)) this.#refresh(folder);
    this.#lookAtEntries([...files, ...folders]);
  }

  close(): void {
    this.look({ folders: [], files: [] });
  }

  #lookAtEntries(paths: readonly string[]): void {
    const byFolder = new Map<string, Set<string>>();
    for (const path of paths) {
      const names = byFolder.get(dirname(path)) ?? new Set();
      byFolder.set(dirname(path), names.add(basename(path)));
    }
    for (const [folder, { watcher }] of this.#entries) {
      if (byFolder.has(folder)) continue;
      watcher.close();
      this.#entries.delete(folder);
    }
    for (const [folder, names] of byFolder) {
      const known = this.#entries.get(folder);
      if (known !== undefined) known.names = names;
      else this.#watchEntries(folder, names);
    }
  }

  #watchEntries(folder: string, names: Set<string>): void {
    const watcher = open(folder, (name) => {
      if (!this.#entries.get(folder)?.names.has(name)) return;
      const path = join(folder, name);
      if (this.#roots.has(path)) this.#try(() => this.#refresh(path));
      this.#onChange();
    });
    if (watcher !== null) this.#entries.set(folder, { names, watcher });
  }

  /** Watches a folder of code, anew where it is another one than before. */
  #refresh(folder: string): void {
    const inode = statSync(folder, { throwIfNoEntry: false })?.ino ?? null;
    const known = this.#roots.get(folder);
    if (known?.inode === inode) return;
    if (known !== undefined) this.#drop(folder, known);
    const root: Root = { isLeftOut: leftOutOf(folder), folders: new Map(), inode };
    this.#roots.set(folder, root);
    this.#descend(folder, root, folder);
  }

  #drop(folder: string, root: Root): void {
    for (const watcher of root.folders.values()) watcher.close();
    this.#roots.delete(folder);
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#onProblem(error);
    }
  }

  /** Watches `path` and what is below it. */
  #descend(folder: string, root: Root, path: string): void {
    const rest = [path];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (root.folders.has(next)) continue;
      const here = next;
      if (root.folders.size >= FOLDERS_MAX)
        throw new Failure(
          `${folder} holds more than ${FOLDERS_MAX} folders to watch; name what the function does not need in ${IGNORE_FILE}`,
        );
      const watcher = open(here, (name) => this.#changed(folder, root, join(here, name)));
      if (watcher === null) continue; // it has just gone
      root.folders.set(here, watcher);
      for (const entry of entriesOf(here))
        if (this.#isWatched(folder, root, join(here, entry))) rest.push(join(here, entry));
    }
  }

  #isWatched(folder: string, root: Root, path: string): boolean {
    const name = basename(path);
    if (unwatchedNames.has(name)) return false;
    return !root.isLeftOut(relative(folder, path).replaceAll(sep, "/"));
  }

  #changed(folder: string, root: Root, path: string): void {
    if (this.#roots.get(folder) !== root) return;
    if (path === join(folder, IGNORE_FILE)) {
      this.#drop(folder, root);
      this.#try(() => this.#refresh(folder));
      return this.#onChange();
    }
    if (!this.#isWatched(folder, root, path)) return;
    if (isFolder(path)) this.#try(() => this.#descend(folder, root, path));
    else this.#forget(root, path);
    this.#onChange();
  }

  /** A folder that has gone, with those that were below it; a file is none of them. */
  #forget(root: Root, path: string): void {
    if (!root.folders.has(path)) return;
    for (const [known, watcher] of root.folders) {
      if (known !== path && !known.startsWith(path + sep)) continue;
      watcher.close();
      root.folders.delete(known);
    }
  }
}

/** null: there is no such folder. */
function open(folder: string, onName: (name: string) => void): FSWatcher | null {
  try {
    const watcher = watch(folder, (_kind, name) => {
      if (name !== null) onName(name);
    });
    // A folder that goes while it is watched; its parent tells of that.
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    if (code === "ENOSPC" || code === "EMFILE")
      throw new Failure(
        `the system watches no more folders (${code} at ${folder}): raise fs.inotify.max_user_watches and max_user_instances, or name what the function does not need in ${IGNORE_FILE}`,
      );
    throw new Failure(`${folder} cannot be watched: ${message}`);
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return []; // it has just gone, and its parent tells of that
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
