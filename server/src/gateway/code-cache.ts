import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { LRUCache } from "lru-cache";
import { artifactPath } from "../artifacts/artifact-path.ts";

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

  read(digest: string, bytes: number): Iterable<Buffer> | AsyncIterable<Buffer> {
    const cached = this.#cache.get(digest);
    if (cached !== undefined) return [cached];
    const path = artifactPath(this.#dir, digest);
    if (bytes > CACHED_ARTIFACT_BYTES_MAX)
      return createReadStream(path, { highWaterMark: READ_BYTES });
    return this.#readSmall(digest, path);
  }

  async *#readSmall(digest: string, path: string): AsyncGenerator<Buffer> {
    const bytes = await readFile(path);
    this.#cache.set(digest, bytes);
    yield bytes;
  }
}
