import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { IsolaError } from "../../errors.ts";

export type PartKind = "kernel" | "initramfs" | "root" | "tools";

/** A folder with one piece of a guest, named for what is in it: nothing in it is ever written to again. */
export interface Part {
  kind: PartKind;
  /** `root-0123456789abcdef` */
  name: string;
  folder: string;
  /** Of everything it was made of. */
  inputs: string;
  /** Of everything that is in it: 64 hexadecimal digits. */
  digest: string;
  /** Names in order, with what a look at them has to find. */
  files: PartFile[];
  /** What is told of it: `nodejs26 26.10.0`, `6.1.0-57-cloud-amd64`. */
  text: string;
  madeAtMs: number;
}

interface PartFile {
  name: string;
  bytes: number;
  sha256: string;
}

const RECORD = "part.json";
/** Of folders that are being filled; what has been there for longer was left by a process that has ended. */
const UNFINISHED = ".unfinished-";
const UNFINISHED_MS_MAX = 3_600_000;
const NAME = /^(kernel|initramfs|root|tools)-[0-9a-f]{16}$/;

/** The parts in one folder of this machine. Several processes may use it at once: a part appears whole, or not at all. */
export class Parts {
  readonly folder: string;
  /** Names of those whose content was read and found good in this life. */
  readonly #seen = new Set<string>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The newest that was made of these inputs; null where there is none, or where its content is not what was made. */
  async find(kind: PartKind, inputs: string | ((inputs: string) => boolean)): Promise<Part | null> {
    const isMeant = typeof inputs === "string" ? (each: string) => each === inputs : inputs;
    const all = (await this.list()).filter((part) => part.kind === kind && isMeant(part.inputs));
    for (const part of all.sort((one, other) => other.madeAtMs - one.madeAtMs))
      if (await this.#isGood(part)) return part;
    return null;
  }

  /**
   * Makes a part: `fill` writes its files into the folder that it is given, and says what the part is. Rejects with what `fill` rejects with, and with
   * `driver_unavailable` where the files cannot be kept; nothing is left behind then.
   */
  async make(
    kind: PartKind,
    inputs: string,
    fill: (folder: string) => Promise<string>,
  ): Promise<Part> {
    await mkdir(this.folder, { recursive: true, mode: 0o755 });
    const unfinished = await mkdtemp(join(this.folder, UNFINISHED));
    try {
      const text = await fill(unfinished);
      const files = await filesIn(unfinished);
      const digest = createHash("sha256").update(JSON.stringify(files)).digest("hex");
      const name = `${kind}-${digest.slice(0, 16)}`;
      const folder = join(this.folder, name);
      const part: Part = { kind, name, folder, inputs, digest, files, text, madeAtMs: Date.now() };
      await this.#keep(unfinished, part);
      return part;
    } catch (cause) {
      if (cause instanceof IsolaError) throw cause;
      throw new IsolaError(
        "driver_unavailable",
        `a ${kind} cannot be kept in ${this.folder}: ${(cause as Error).message}`,
        { cause },
      );
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }

  /** All that are whole by their records. */
  async list(): Promise<Part[]> {
    const parts: Part[] = [];
    for (const name of await namesIn(this.folder)) {
      const part = NAME.test(name) ? await readPart(join(this.folder, name)) : null;
      if (part !== null) parts.push(part);
    }
    return parts;
  }

  /** Removes every part but these, and what processes that have ended left unfinished. Resolves with the names of the parts. */
  async removeAllBut(kept: ReadonlySet<string>): Promise<string[]> {
    const removed: string[] = [];
    for (const name of await namesIn(this.folder)) {
      const path = join(this.folder, name);
      if (NAME.test(name) ? kept.has(name) : !(await isAbandoned(path, name))) continue;
      await rm(path, { recursive: true, force: true });
      if (NAME.test(name)) removed.push(name);
    }
    return removed;
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.folder, name), { recursive: true, force: true });
  }

  /** By rename, which is whole or not at all. What has the name already has the content too, unless it was damaged. */
  async #keep(unfinished: string, part: Part): Promise<void> {
    const { folder: _, ...record } = part;
    await writeFile(join(unfinished, RECORD), JSON.stringify(record));
    for (const { name } of [...part.files, { name: RECORD }]) await sync(join(unfinished, name));
    await rm(part.folder, { recursive: true, force: true });
    await rename(unfinished, part.folder);
    this.#seen.add(part.name);
  }

  /** Sizes are looked at each time, every byte once in a life. */
  async #isGood({ name, folder, files }: Part): Promise<boolean> {
    try {
      for (const file of files) {
        const path = join(folder, file.name);
        if ((await stat(path)).size !== file.bytes) return false;
        if (!this.#seen.has(name) && (await fileDigest(path)) !== file.sha256) return false;
      }
    } catch {
      return false; // gone, or unreadable: it is made anew
    }
    this.#seen.add(name);
    return true;
  }
}

async function readPart(folder: string): Promise<Part | null> {
  try {
    return {
      ...(JSON.parse(await readFile(join(folder, RECORD), "utf8")) as Omit<Part, "folder">),
      folder,
    };
  } catch {
    return null; // no record, or half of one: no part
  }
}

async function filesIn(folder: string): Promise<PartFile[]> {
  const files: PartFile[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    files.push({ name, bytes: (await stat(path)).size, sha256: await fileDigest(path) });
  }
  return files;
}

async function isAbandoned(path: string, name: string): Promise<boolean> {
  if (!name.startsWith(UNFINISHED)) return false;
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
  return Date.now() - mtimeMs > UNFINISHED_MS_MAX;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** In pieces, as images are large. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
}
