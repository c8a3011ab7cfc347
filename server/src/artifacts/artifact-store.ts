import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, utimes, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Artifact } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import { failPoint } from "../fail-points.ts";
import { artifactPath } from "./artifact-path.ts";
import { collectGarbage, type GarbageReport } from "./collect-garbage.ts";
import { asDiskFailure } from "./disk-failure.ts";
import type { CheckedPackage } from "./read-package.ts";

const DIGEST = /^[0-9a-f]{64}$/;
const PRIVATE_FOLDER = { recursive: true, mode: 0o700 } as const;

/**
 * Content-addressed tars in a folder: `<aa>/<digest>.tar`, written to `tmp/` first. What `put` has answered is on disk; a file under its
 * final name is complete. Safe for concurrent use within one process, which must be the only one that collects garbage.
 */
export interface ArtifactStore {
  /** Keeps a package; one whose contents are there already costs no space. Rejects with `not_ready` when the disk refuses, and then leaves nothing behind. */
  put(checked: Pick<CheckedPackage, "entries" | "unpackedBytes" | "tar">): Promise<Artifact>;
  /** The tar as a stream. Rejects with `not_found`. */
  open(digest: string): Promise<Readable>;
  /** The tar at once; for what is known to be small enough. Rejects with `not_found`. */
  readAll(digest: string): Promise<Buffer>;
  has(digest: string): Promise<boolean>;
  /** Of an artifact that nobody else has; one that is not there is none. */
  remove(digest: string): Promise<void>;
  /** Whether the bytes on disk still have this digest. Rejects with `not_found`. */
  verify(digest: string): Promise<boolean>;
  /**
   * Removes artifacts that are not in `keep`, and leftovers in `tmp/`, last touched more than `olderThanMs` ago (-Infinity: whatever the clock says). A `put` touches what it answers: the age
   * has to be longer than an upload takes from its `put` to the commit of the revision that refers to it.
   */
  collectGarbage(keep: ReadonlySet<string>, olderThanMs: number): Promise<GarbageReport>;
}

export async function openArtifactStore(dir: string): Promise<ArtifactStore> {
  try {
    await mkdir(join(dir, "tmp"), PRIVATE_FOLDER);
  } catch (error) {
    throw asDiskFailure(error, `The artifact folder ${dir} could not be made`);
  }
  return new FolderArtifactStore(dir);
}

class FolderArtifactStore implements ArtifactStore {
  readonly #dir: string;
  /** Publishing and removing take turns, so that what a `put` finds there is not removed before it answers. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dir: string) {
    this.#dir = dir;
  }

  async put(checked: Pick<CheckedPackage, "entries" | "unpackedBytes" | "tar">): Promise<Artifact> {
    const temporary = join(this.#dir, "tmp", randomUUID());
    try {
      const { digest, bytes } = await writeSynced(temporary, checked.tar());
      await failPoint("artifact.written");
      await this.#inTurn(() => this.#publish(temporary, digest, bytes));
      return { digest, bytes, entries: checked.entries, unpackedBytes: checked.unpackedBytes };
    } catch (error) {
      await rm(temporary, { force: true });
      throw asDiskFailure(error, "The artifact could not be written");
    }
  }

  async open(digest: string): Promise<Readable> {
    const path = this.#pathOf(digest);
    const file = await open(path).catch((error: unknown) => {
      throw missing(error, digest);
    });
    return file.createReadStream();
  }

  async readAll(digest: string): Promise<Buffer> {
    return await readFile(this.#pathOf(digest)).catch((error: unknown) => {
      throw missing(error, digest);
    });
  }

  async has(digest: string): Promise<boolean> {
    return DIGEST.test(digest) && (await bytesOf(this.#pathOf(digest))) !== null;
  }

  async remove(digest: string): Promise<void> {
    await this.#inTurn(() => rm(this.#pathOf(digest), { force: true }));
  }

  async verify(digest: string): Promise<boolean> {
    const hash = createHash("sha256");
    for await (const chunk of await this.open(digest)) hash.update(chunk);
    return hash.digest("hex") === digest;
  }

  collectGarbage(keep: ReadonlySet<string>, olderThanMs: number): Promise<GarbageReport> {
    const inTurn = <T>(run: () => Promise<T>) => this.#inTurn(run);
    return collectGarbage({ dir: this.#dir, keep, olderThanMs, inTurn });
  }

  async #publish(temporary: string, digest: string, bytes: number): Promise<void> {
    const path = this.#pathOf(digest);
    if ((await bytesOf(path)) === bytes) {
      const now = new Date();
      await utimes(path, now, now);
      await rm(temporary);
      return;
    }
    const folder = join(this.#dir, digest.slice(0, 2));
    if ((await mkdir(folder, PRIVATE_FOLDER)) !== undefined) await syncFolder(this.#dir);
    await rename(temporary, path);
    await failPoint("artifact.renamed");
    await syncFolder(folder);
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => {}); // reported to whoever waits for `result`
    return result;
  }

  #pathOf(digest: string): string {
    if (!DIGEST.test(digest)) throw missing(null, digest.slice(0, 64));
    return artifactPath(this.#dir, digest);
  }
}

async function writeSynced(
  path: string,
  tar: AsyncIterable<Buffer>,
): Promise<{ digest: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  let file: FileHandle | null = null;
  try {
    file = await open(path, "wx", 0o600);
    for await (const chunk of tar) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file?.close();
  }
  return { digest: hash.digest("hex"), bytes };
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function bytesOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw asDiskFailure(error, "The artifact folder could not be read");
  }
}

function missing(error: unknown, digest: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (error !== null && code !== "ENOENT") {
    return asDiskFailure(error, "The artifact could not be read");
  }
  return new IsolaError("not_found", `artifact ${digest} is not in the artifact folder`);
}
