import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import { open, readdir, rm, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { MiB } from "../domain/limits.ts";
import { failPoint } from "../fail-points.ts";
import { asDiskFailure } from "./disk-failure.ts";

const MEMORY_BYTES_MAX = 8 * MiB;
const READ_BYTES = 256 * 1024;
const NAME_PREFIX = "isola-upload-";

/**
 * Holds file contents between the reading of an upload and the writing of its tar: appended, sealed, then read in any order, then closed.
 * Small ones stay in memory; larger ones go to a file that loses its name as soon as it exists, so that nothing is left behind by a crash.
 */
export class Spool {
  readonly #dir: string;
  #file: FileHandle | null = null;
  #fileBytes = 0;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #isSealed = false;

  constructor(dir: string) {
    this.#dir = dir;
  }

  get bytes(): number {
    return this.#fileBytes + this.#chunkBytes;
  }

  async append(chunk: Buffer): Promise<void> {
    assert(!this.#isSealed, "appended after the spool was sealed");
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    if (this.#chunkBytes > MEMORY_BYTES_MAX) await this.#flush();
  }

  /** Nothing is appended any more. */
  async seal(): Promise<void> {
    if (this.#file) await this.#flush();
    else this.#chunks = [Buffer.concat(this.#chunks)];
    this.#isSealed = true;
  }

  /** Yields `length` bytes from `start`, at most 256 KiB at a time. */
  async *read(start: number, length: number): AsyncGenerator<Buffer, void, void> {
    assert(start + length <= this.bytes, "read beyond the end of the spool");
    assert(this.#isSealed, "read before the spool was sealed");
    for (let at = start; at < start + length; ) {
      const piece = await this.#readOnce(at, Math.min(READ_BYTES, start + length - at));
      at += piece.length;
      yield piece;
    }
  }

  async close(): Promise<void> {
    this.#chunks = [];
    await this.#file?.close();
    this.#file = null;
  }

  async #readOnce(at: number, bytes: number): Promise<Buffer> {
    if (!this.#file) return (this.#chunks[0] as Buffer).subarray(at, at + bytes);
    const buffer = Buffer.allocUnsafe(bytes);
    const { bytesRead } = await this.#file.read(buffer, 0, bytes, at);
    assert(bytesRead > 0, "the spool lost bytes");
    return buffer.subarray(0, bytesRead);
  }

  async #flush(): Promise<void> {
    if (this.#chunkBytes === 0) return;
    try {
      this.#file ??= await openNameless(this.#dir);
      await this.#file.writeFile(Buffer.concat(this.#chunks)); // goes on where it last ended
    } catch (error) {
      throw asDiskFailure(error, `The upload could not be kept in ${this.#dir}`);
    }
    this.#fileBytes += this.#chunkBytes;
    this.#chunks = [];
    this.#chunkBytes = 0;
  }
}

async function openNameless(dir: string): Promise<FileHandle> {
  const path = join(dir, `${NAME_PREFIX}${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  try {
    await failPoint("spool.named");
    await unlink(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Removes the files of a process that was killed before they had lost their names. Nothing may be uploaded meanwhile. */
export async function removeLeftoverSpools(dir: string): Promise<string[]> {
  const found = (await readdir(dir)).filter((name) => name.startsWith(NAME_PREFIX));
  for (const name of found) await rm(join(dir, name), { force: true });
  return found;
}
