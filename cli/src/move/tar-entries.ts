import { Failure } from "../command.ts";

const BLOCK_BYTES = 512;

export interface TarEntry {
  name: string;
  size: number;
  /** Its contents, once; what is not read is passed over. */
  contents(): AsyncGenerator<Buffer, void, void>;
}

/**
 * The entries of a tar of plain files with short names, as an export has them; links, folders and extensions of other tars are refused by name. Holds no more than one chunk of `source`.
 */
export async function* tarEntries(
  source: AsyncIterable<Buffer>,
): AsyncGenerator<TarEntry, void, void> {
  const bytes = new Bytes(source);
  for (;;) {
    const header = await bytes.take(BLOCK_BYTES);
    if (header === null) throw new Failure("it is cut off: it has no end");
    if (header.every((byte) => byte === 0)) return;
    const { name, size } = readHeader(header);
    let left = size;
    const contents = async function* () {
      while (left > 0) {
        const chunk = await bytes.some(left);
        if (chunk === null) throw new Failure(`it is cut off in ${name}`);
        left -= chunk.length;
        yield chunk;
      }
    };
    yield { name, size, contents };
    for await (const _rest of contents());
    const padding = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
    if (padding > 0 && (await bytes.take(padding)) === null)
      throw new Failure(`it is cut off behind ${name}`);
  }
}

function readHeader(header: Buffer): { name: string; size: number } {
  const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0);
  const name = text(header, 0, 100);
  const isWhole = sum === octal(header, 148, 8) && text(header, 257, 5) === "ustar";
  if (!isWhole) throw new Failure("it is no tar of plain files, or damaged");
  const type = text(header, 156, 1);
  const size = octal(header, 124, 12);
  const isPlain = (type === "" || type === "0") && text(header, 345, 155) === "";
  if (!isPlain || Number.isNaN(size))
    throw new Failure(`its entry ${JSON.stringify(name)} is no plain file with a short name`);
  return { name, size };
}

function text(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}

function octal(header: Buffer, at: number, length: number): number {
  const digits = text(header, at, length).trim();
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** A stream that is read in portions of one's own choice. */
class Bytes {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** What is there, `most` bytes at most; null at the end. */
  async some(most: number): Promise<Buffer | null> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return null;
      this.#rest = next.value;
    }
    const chunk = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(chunk.length);
    return chunk;
  }

  /** Exactly so many; null where the end comes before. */
  async take(bytes: number): Promise<Buffer | null> {
    const chunks: Buffer[] = [];
    for (let left = bytes; left > 0; ) {
      const chunk = await this.some(left);
      if (chunk === null) return null;
      chunks.push(chunk);
      left -= chunk.length;
    }
    return Buffer.concat(chunks);
  }
}
