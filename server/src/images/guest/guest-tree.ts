import { createHash } from "node:crypto";
import { type Dirent, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { IsolaError } from "../../errors.ts";

/** One thing of an image: a copy of a host's file, a link, a folder, or a text or program of ours. */
export type TreeEntry =
  | { kind: "folder" }
  | { kind: "file"; from: string; mode: number }
  | { kind: "link"; target: string }
  | { kind: "text"; text: string }
  /** Its bytes. */
  | { kind: "program"; base64: string };

/** More would be a mistake of who chose the folders. */
const ENTRIES_MAX = 200_000;

/** What an image will hold, by path inside it, before a byte of it is read. */
export class GuestTree {
  readonly #entries = new Map<string, TreeEntry>();
  /** What a change of any file of the host would change. */
  readonly #stamps: string[] = [];

  get entries(): [path: string, entry: TreeEntry][] {
    return [...this.#entries].sort(([one], [other]) => (one < other ? -1 : 1));
  }

  /** Of all that is in it: sizes and times stand for the contents of the host's files, which makes it cheap. */
  get digest(): string {
    const own = this.entries.map(([path, entry]) => JSON.stringify([path, entry]));
    return createHash("sha256")
      .update([...own, ...this.#stamps.sort()].join("\n"))
      .digest("hex");
  }

  /** The first of a path stays. Folders above it come to be. */
  add(path: string, entry: TreeEntry): void {
    if (this.#entries.size >= ENTRIES_MAX)
      throw new IsolaError(
        "driver_unavailable",
        `an image of a sandbox holds at most ${ENTRIES_MAX} files, and ${path} is one more`,
      );
    for (
      let above = dirname(path);
      above !== "/" && !this.#entries.has(above);
      above = dirname(above)
    )
      this.#entries.set(above, { kind: "folder" });
    const before = this.#entries.get(path);
    if (
      before === undefined ||
      (before.kind === "folder" && entry.kind !== "folder" && !this.#hasBelow(path))
    )
      this.#entries.set(path, entry);
  }

  /** A file, link or folder of the host with all that is in it, at a path inside; what is no such thing is left out. */
  addHost(from: string, at: string, isWanted: (path: string) => boolean = () => true): void {
    const stat = lstatSync(from, { throwIfNoEntry: false });
    if (stat === undefined || !isWanted(from)) return;
    if (stat.isSymbolicLink()) this.add(at, { kind: "link", target: readlinkSync(from) });
    else if (stat.isFile()) {
      this.#stamps.push(`${from} ${stat.size} ${stat.mtimeMs}`);
      this.add(at, { kind: "file", from, mode: (stat.mode & 0o111) === 0 ? 0o444 : 0o555 });
    } else if (stat.isDirectory()) {
      this.add(at, { kind: "folder" });
      for (const entry of inOrder(from))
        this.addHost(join(from, entry.name), join(at, entry.name), isWanted);
    }
  }

  #hasBelow(path: string): boolean {
    return this.#entries.keys().some((each) => each.startsWith(`${path}/`));
  }
}

function inOrder(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true }).sort((one, other) =>
    one.name < other.name ? -1 : 1,
  );
}
