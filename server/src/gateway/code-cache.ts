import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { LRUCache } from "lru-cache";
import { artifactPath } from "../artifacts/artifact-path.ts";
import { diskProblem } from "../artifacts/disk-failure.ts";
import { IsolaError } from "../errors.ts";

const CACHED_BYTES_MAX = 64 * 1024 * 1024;
const CACHED_ARTIFACT_BYTES_MAX = 1024 * 1024;
const READ_BYTES = 262_144;

/** Code on its way into sandboxes: small artifacts stay in memory, large ones are streamed from their file. */
export class CodeCache {
  readonly #dir: string;
  readonly #cache = new LRUCache<string, Buffer>({
    maxSize: CACHED_BYTES_MAX,
    sizeCalculation: (bytes) => bytes.length + 1,
  });

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Reading rejects with `sandbox_start_failed` when the disk or the limit of open files does not allow it. */
  read(digest: string, bytes: number): Iterable<Buffer> | AsyncIterable<Buffer> {
    const cached = this.#cache.get(digest);
    if (cached !== undefined) return [cached];
    const path = artifactPath(this.#dir, digest);
    return bytes > CACHED_ARTIFACT_BYTES_MAX ? readLarge(path) : this.#readSmall(digest, path);
  }

  async *#readSmall(digest: string, path: string): AsyncGenerator<Buffer> {
    const bytes = await readFile(path).catch((error: unknown) => {
      throw unreadable(error);
    });
    this.#cache.set(digest, bytes);
    yield bytes;
  }
}

async function* readLarge(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw unreadable(error);
  }
}

/** Callers read this: it names no path. */
function unreadable(cause: unknown): unknown {
  const problem = diskProblem(cause);
  if (problem === null) return cause;
  return new IsolaError("sandbox_start_failed", `the code could not be read: ${problem}`, {
    cause,
  });
}
