import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MiB } from "../domain/limits.ts";
import { messageOf } from "../errors.ts";

const MANIFEST = "manifest.json";
const FORMAT = 2;
const MAKING_PREFIX = "making-";
/** Of `Stats.blocks`. */
const BLOCK_BYTES = 512;
const WAITING_MAX = 16;
/** After a failure that kind is not tried again for as long. */
const RETRY_MS = 60_000;

/** A snapshot on disk. Its files are never changed: sandboxes that were restored from it may still read them. */
export interface Snapshot {
  folder: string;
  /** Names of the files in `folder` that a restore reads. */
  files: readonly string[];
}

/** What a snapshot holds for. */
export interface SnapshotKind {
  runtime: string;
  /** Of all that is in it before it runs. */
  guestDigest: string;
  /** Of what runs it, and all that this is started with beside guest and shape. */
  identity: string;
  /** What its sandboxes have and cannot change any more, such as `{ memoryMiB: 512, vcpus: 1 }`. */
  shape: Readonly<Record<string, number>>;
}

/** `source`: what `take` makes it of. */
export interface WantedSnapshot<Source> {
  kind: SnapshotKind;
  source: Source;
}

export interface SnapshotsOptions<Source> {
  /** For this user only; made on first need. */
  folder: string;
  /** Of all snapshots together; 0: none is made. */
  bytesMax: number;
  /** The setting with which an operator gives more, for messages. */
  setting: string;
  /** Takes one into the folder. Rejects when it cannot, and what it has written is removed then. */
  take(wanted: WantedSnapshot<Source>, folder: string): Promise<Snapshot>;
  onProblem(problem: string): void;
}

interface Manifest extends SnapshotKind {
  format: number;
  /** `diskBytes`: without holes. */
  files: { name: string; bytes: number; diskBytes: number; sha256: string }[];
}

interface Checked {
  snapshot: Snapshot;
  /** Of each file as it was when it was checked: whoever changes one changes that. */
  marks: string[];
}

/**
 * Snapshots on disk, by what they hold for. One is made at a time, in the background, written to a folder of its own that then gets its name. Each is read through
 * once in a life before it is used; one that is not as it was written is removed. The longest unused go when there are too many.
 */
export class Snapshots<Source> {
  readonly #options: SnapshotsOptions<Source>;
  readonly #checked = new Map<string, Promise<Checked | null>>();
  readonly #waiting = new Map<string, WantedSnapshot<Source>>();
  readonly #failedAt = new Map<string, number>();
  #work: Promise<void> = Promise.resolve();
  #isWorking = false;
  #isClosed = false;

  constructor(options: SnapshotsOptions<Source>) {
    this.#options = options;
  }

  /** null: there is none that is whole. */
  async find(kind: SnapshotKind): Promise<Snapshot | null> {
    const key = keyOf(kind);
    const folder = join(this.#options.folder, key);
    let found = this.#checked.get(key);
    if (found === undefined) {
      found = this.#check(folder, kind);
      this.#checked.set(key, found);
    }
    const checked = await found;
    if (checked === null) return this.#forget(key);
    const marks = await marksOf(checked.snapshot).catch(() => null); // it is gone
    if (marks?.join() !== checked.marks.join()) {
      await this.drop(kind, "it is not as it was when it was checked");
      return null;
    }
    // The time of its last use, by which the longest unused is known.
    await utimes(folder, new Date(), new Date()).catch(() => {}); // removed meanwhile
    return checked.snapshot;
  }

  /** Removes one that does not do; another is made when it is asked for. */
  async drop(kind: SnapshotKind, why: string): Promise<void> {
    const key = keyOf(kind);
    this.#forget(key);
    this.#options.onProblem(`a snapshot of ${kind.runtime} is removed: ${why}`);
    await rm(join(this.#options.folder, key), { recursive: true, force: true });
  }

  /** Makes one in the background, unless that is under way or has just failed. */
  want(kind: SnapshotKind, source: Source): void {
    const { bytesMax } = this.#options;
    const key = keyOf(kind);
    const failedAt = this.#failedAt.get(key) ?? -RETRY_MS;
    if (this.#isClosed || bytesMax === 0 || performance.now() - failedAt < RETRY_MS) return;
    if (this.#waiting.size < WAITING_MAX) this.#waiting.set(key, { kind, source });
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#work = this.#makeAll();
  }

  /** Removes what an earlier life left half made, and what holds for nothing of today; null: what that is is not known yet. */
  async sweep(identity: string | null): Promise<string[]> {
    const { folder } = this.#options;
    const removed: string[] = [];
    for (const name of await readdir(folder).catch(() => [])) {
      const manifest = await readManifest(join(folder, name));
      if (this.#isWorking && name.startsWith(MAKING_PREFIX)) continue;
      if (manifest !== null && (identity ?? manifest.identity) === manifest.identity) continue;
      await rm(join(folder, name), { recursive: true, force: true });
      this.#forget(name);
      removed.push(`snapshot ${name.slice(0, 20)}`);
    }
    return removed;
  }

  /** Resolves when all that was wanted is made, or could not be. */
  async made(): Promise<void> {
    while (this.#isWorking) await this.#work;
  }

  /** As `made`; what waits is given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting.clear();
    await this.#work;
  }

  #forget(key: string): null {
    this.#checked.delete(key);
    return null;
  }

  async #makeAll(): Promise<void> {
    for (const [key, wanted] of this.#waiting) {
      const { kind } = wanted;
      this.#waiting.delete(key);
      if ((await this.find(kind)) !== null) continue;
      try {
        await this.#make(key, wanted);
      } catch (error) {
        this.#failedAt.set(key, performance.now());
        if (!this.#isClosed)
          this.#options.onProblem(`no snapshot of ${kind.runtime}: ${messageOf(error)}`);
      }
    }
    this.#isWorking = false;
  }

  async #make(key: string, wanted: WantedSnapshot<Source>): Promise<void> {
    const { folder, take } = this.#options;
    const making = join(folder, `${MAKING_PREFIX}${randomUUID()}`);
    await mkdir(making, { recursive: true, mode: 0o700 });
    try {
      const { files: names } = await take(wanted, making);
      const files = await Promise.all(
        names.map(async (name) => {
          const { size: bytes, blocks } = await stat(join(making, name));
          const diskBytes = Math.min(bytes, blocks * BLOCK_BYTES);
          return { name, bytes, diskBytes, sha256: await digestOf(join(making, name)) };
        }),
      );
      const manifest: Manifest = { format: FORMAT, ...wanted.kind, files };
      // Before this one has its manifest, by which it would count itself.
      await this.#makeRoom(diskBytesOf(files));
      await writeFile(join(making, MANIFEST), JSON.stringify(manifest));
      await rm(join(folder, key), { recursive: true, force: true });
      await rename(making, join(folder, key));
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }

  /** Throws where one alone is too large. */
  async #makeRoom(bytes: number): Promise<void> {
    const { folder, bytesMax, setting } = this.#options;
    if (bytes > bytesMax)
      throw new Error(
        `it takes ${Math.ceil(bytes / MiB)} MiB, and ${setting} is ${bytesMax / MiB}`,
      );
    const others: { name: string; usedAt: number; bytes: number }[] = [];
    for (const name of await readdir(folder)) {
      const manifest = await readManifest(join(folder, name));
      if (manifest === null) continue;
      const { mtimeMs } = await stat(join(folder, name));
      others.push({ name, usedAt: mtimeMs, bytes: diskBytesOf(manifest.files) });
    }
    others.sort((a, b) => a.usedAt - b.usedAt);
    let total = others.reduce((sum, other) => sum + other.bytes, bytes);
    for (const other of others) {
      if (total <= bytesMax) return;
      await rm(join(folder, other.name), { recursive: true, force: true });
      this.#forget(other.name);
      total -= other.bytes;
    }
  }

  async #check(folder: string, kind: SnapshotKind): Promise<Checked | null> {
    const manifest = await readManifest(folder);
    if (manifest === null) return null;
    const { files } = manifest;
    try {
      const snapshot = { folder, files: files.map(({ name }) => name) };
      const marks = await marksOf(snapshot);
      for (const { name, bytes, sha256 } of files) {
        const path = join(folder, name);
        if ((await stat(path)).size !== bytes || (await digestOf(path)) !== sha256)
          throw new Error(`${name} is not what was written`);
      }
      return { snapshot, marks };
    } catch (error) {
      await this.drop(kind, messageOf(error));
      return null;
    }
  }
}

/** 64 hexadecimal digits. */
function keyOf({ guestDigest, identity, shape }: SnapshotKind): string {
  const text = [guestDigest, identity, ...Object.values(shape)].join("\n");
  return createHash("sha256").update(text).digest("hex");
}

function diskBytesOf(files: Manifest["files"]): number {
  return files.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
}

async function marksOf({ folder, files }: Snapshot): Promise<string[]> {
  const stats = await Promise.all(files.map((name) => stat(join(folder, name), { bigint: true })));
  return stats.map(({ ino, size, mtimeNs }) => `${ino} ${size} ${mtimeNs}`);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: MiB })) hash.update(chunk);
  return hash.digest("hex");
}

/** null: none, or not one of ours. */
async function readManifest(folder: string): Promise<Manifest | null> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, MANIFEST), "utf8")) as Manifest;
    return manifest.format === FORMAT && Array.isArray(manifest.files) ? manifest : null;
  } catch {
    return null;
  }
}
