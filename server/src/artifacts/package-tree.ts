import { entryPath } from "./entry-path.ts";
import type { PackageLimits } from "./package-limits.ts";
import { invalidEntry, packageTooLarge, showName } from "./refusal.ts";

export interface FolderEntry {
  kind: "folder";
  path: string;
  /** It has an entry of its own in the upload; else it only shows in the paths of others. */
  isExplicit: boolean;
}

export interface FileEntry {
  kind: "file";
  path: string;
  isExecutable: boolean;
  /** Where its contents are in the spool. */
  start: number;
  bytes: number;
}

/** The names of a package while it is read: every rule on names that takes more than one entry to check is checked here. */
export class PackageTree {
  readonly #limits: PackageLimits;
  /** By path as every file system would compare it. */
  readonly #entries = new Map<string, FolderEntry | FileEntry>();
  #files = 0;

  constructor(limits: PackageLimits) {
    this.#limits = limits;
  }

  get files(): number {
    return this.#files;
  }

  /** Adds a folder; one that was implied so far becomes explicit. The root is passed over. */
  addFolder(name: string): void {
    const path = entryPath(name);
    if (path === "") return;
    this.#addParents(path);
    const there = this.#find(path);
    if (there?.kind === "folder" && !there.isExplicit) {
      there.isExplicit = true;
      return;
    }
    if (there) throw invalidEntry(path, "is in the package twice");
    this.#add({ kind: "folder", path, isExplicit: true });
  }

  /** Adds a file without contents; the caller fills in `start` and `bytes`. */
  addFile(name: string, isExecutable: boolean): FileEntry {
    const path = entryPath(name);
    if (path === "" || name.endsWith("/")) throw invalidEntry(name, "is a file named as a folder");
    this.#addParents(path);
    if (this.#find(path)) throw invalidEntry(path, "is in the package twice");
    const file: FileEntry = { kind: "file", path, isExecutable, start: 0, bytes: 0 };
    this.#add(file);
    this.#files += 1;
    return file;
  }

  /** By the bytes of their names in the tar; a folder comes before what it holds. */
  sorted(): (FolderEntry | FileEntry)[] {
    return [...this.#entries.values()]
      .map((entry) => ({ entry, key: Buffer.from(tarName(entry)) }))
      .toSorted((a, b) => Buffer.compare(a.key, b.key))
      .map(({ entry }) => entry);
  }

  #addParents(path: string): void {
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
      const parent = path.slice(0, at);
      const there = this.#find(parent);
      if (there?.kind === "file") throw invalidEntry(path, "lies in a folder that is also a file");
      if (!there) this.#add({ kind: "folder", path: parent, isExplicit: false });
    }
  }

  #find(path: string): FolderEntry | FileEntry | undefined {
    const there = this.#entries.get(comparable(path));
    if (!there || there.path === path) return there;
    throw invalidEntry(
      path,
      `has the same name as ${showName(there.path)} where case or accents do not count`,
    );
  }

  #add(entry: FolderEntry | FileEntry): void {
    if (this.#entries.size >= this.#limits.entriesMax) {
      throw packageTooLarge(
        `the package has more than ${this.#limits.entriesMax} files and folders`,
      );
    }
    this.#entries.set(comparable(entry.path), entry);
  }
}

export function tarName(entry: FolderEntry | FileEntry): string {
  return entry.kind === "folder" ? `${entry.path}/` : entry.path;
}

/** Equal for names that some usual file system holds to be the same. */
function comparable(path: string): string {
  return path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}
