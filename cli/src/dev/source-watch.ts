import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
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
}

/**
 * Tells of each change in the sources, of what is written by renaming too. What `.isolaignore` names is not looked at. Folders that appear are watched from then on, those
 * that go are forgotten. Life: `open -> closed`.
 */
export class SourceWatch {
  readonly #onChange: () => void;
  readonly #roots = new Map<string, Root>();
  /** Of single files, by their folder: an editor may replace the file. */
  readonly #single = new Map<string, { names: Set<string>; watcher: FSWatcher }>();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** From now on these, and no others. Throws where the system allows no more watches. */
  look({ folders, files }: Sources): void {
    for (const [folder, root] of this.#roots)
      if (!folders.includes(folder)) this.#drop(folder, root);
    for (const folder of new Set(folders)) if (!this.#roots.has(folder)) this.#add(folder);
    this.#lookAtFiles(files);
  }

  close(): void {
    this.look({ folders: [], files: [] });
  }

  #lookAtFiles(files: readonly string[]): void {
    const byFolder = new Map<string, Set<string>>();
    for (const file of files) {
      const names = byFolder.get(dirname(file)) ?? new Set();
      byFolder.set(dirname(file), names.add(file.slice(dirname(file).length + 1)));
    }
    for (const [folder, { watcher }] of this.#single) {
      if (byFolder.has(folder)) continue;
      watcher.close();
      this.#single.delete(folder);
    }
    for (const [folder, names] of byFolder) {
      const known = this.#single.get(folder);
      if (known !== undefined) known.names = names;
      else this.#watchFiles(folder, names);
    }
  }

  #watchFiles(folder: string, names: Set<string>): void {
    const watcher = open(folder, (name) => {
      if (this.#single.get(folder)?.names.has(name)) this.#onChange();
    });
    if (watcher !== null) this.#single.set(folder, { names, watcher });
  }

  #add(folder: string): void {
    const root: Root = { isLeftOut: leftOutOf(folder), folders: new Map() };
    this.#roots.set(folder, root);
    this.#descend(folder, root, folder);
  }

  #drop(folder: string, root: Root): void {
    for (const watcher of root.folders.values()) watcher.close();
    this.#roots.delete(folder);
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
    const name = path.slice(path.lastIndexOf(sep) + 1);
    if (unwatchedNames.has(name)) return false;
    return !root.isLeftOut(relative(folder, path).replaceAll(sep, "/"));
  }

  #changed(folder: string, root: Root, path: string): void {
    if (this.#roots.get(folder) !== root) return;
    if (path === join(folder, IGNORE_FILE)) {
      this.#drop(folder, root);
      this.#add(folder);
      return this.#onChange();
    }
    if (!this.#isWatched(folder, root, path)) return;
    if (isFolder(path)) this.#descend(folder, root, path);
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
