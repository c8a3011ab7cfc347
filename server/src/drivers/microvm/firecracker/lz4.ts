const LEGACY_MAGIC = 0x184c2102;
const BLOCK_BYTES_MAX = 8 * 1024 * 1024;
const MATCH_BYTES_LEAST = 4;

export function isLz4(bytes: Buffer): boolean {
  return bytes.length >= 4 && bytes.readUInt32LE(0) === LEGACY_MAGIC;
}

/**
 * Blocks of LZ4's legacy frame, which is what Linux compresses kernels with: after the magic number, a length (u32) and a block, over and over; each holds at most 8 MiB.
 * Format: lz4_Block_format.md and lz4_Frame_format.md of the LZ4 project. Throws for anything else.
 */
export function* lz4Blocks(bytes: Buffer): Generator<Buffer> {
  let at = 4;
  // Behind the last block a kernel has the length of the whole (u32), which as the length of a block would be too long.
  while (at + 4 < bytes.length) {
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (at + length > bytes.length) return;
    yield block(bytes.subarray(at, at + length));
    at += length;
  }
}

function block(from: Buffer): Buffer {
  const to = Buffer.allocUnsafe(BLOCK_BYTES_MAX);
  let read = 0;
  let written = 0;
  while (read < from.length) {
    const token = from[read] as number;
    read += 1;
    const literals = longLength(from, read, token >> 4);
    read = literals.next;
    if (read + literals.length > from.length || written + literals.length > to.length)
      throw new Error("a block of LZ4 is longer than it may be");
    written += from.copy(to, written, read, read + literals.length);
    read += literals.length;
    // The last sequence is without a match.
    if (read >= from.length) break;
    const offset = from.readUInt16LE(read);
    const match = longLength(from, read + 2, token & 15);
    read = match.next;
    const end = written + match.length + MATCH_BYTES_LEAST;
    if (offset === 0 || offset > written || end > to.length)
      throw new Error("a block of LZ4 refers to what is not in it");
    written = repeat(to, { written, offset, end });
  }
  return to.subarray(0, written);
}

/** 15 stands for 15 and the bytes that follow, up to the first that is not 255. */
function longLength(from: Buffer, at: number, short: number): { length: number; next: number } {
  let length = short;
  let next = at;
  if (short === 15)
    for (let byte = 255; byte === 255; next += 1) {
      byte = from.readUInt8(next);
      length += byte;
    }
  return { length, next };
}

/** A match may overlap what it makes: what is nearer than its length is repeated. Byte by byte, as most are short. */
function repeat(to: Buffer, match: { written: number; offset: number; end: number }): number {
  const { offset, end } = match;
  for (let at = match.written; at < end; at += 1) to[at] = to[at - offset] as number;
  return end;
}
