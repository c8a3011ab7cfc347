import { crc32, inflateRawSync } from "node:zlib";
import type { Entry, ZipFile } from "yauzl";
import { messageOf } from "../errors.ts";
import { invalidEntry } from "./refusal.ts";

export const STORED = 0;
export const DEFLATED = 8;

/** Above either bound an entry is inflated as a stream; below, at once, which is many times faster and holds the event loop for a millisecond at most. */
const AT_ONCE_PACKED_BYTES_MAX = 65_536;
const AT_ONCE_BYTES_MAX = 262_144;

export interface PackedEntry {
  entry: Entry;
  name: string;
  /** Its bytes in the archive, still packed. */
  packed: Buffer;
}

/** The contents of a file: never more than the directory claims, and with the checksum that it claims; anything else is `invalid_package`. */
export async function* zipContents(zip: ZipFile, file: PackedEntry) {
  const { entry, name } = file;
  let sum = 0;
  try {
    for await (const chunk of unpack(zip, file)) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (error) {
    throw invalidEntry(name, `is not what the directory says: ${messageOf(error)}`, error);
  }
  if (sum !== entry.crc32) throw invalidEntry(name, "is damaged: its checksum is wrong");
}

async function* unpack(zip: ZipFile, { entry, packed }: PackedEntry): AsyncGenerator<Buffer> {
  const isSmall =
    packed.length <= AT_ONCE_PACKED_BYTES_MAX && entry.uncompressedSize <= AT_ONCE_BYTES_MAX;
  if (entry.compressionMethod === STORED) {
    yield packed; // as long as the directory says: yauzl compares the two sizes
  } else if (isSmall) {
    yield inflateAtOnce(packed, entry.uncompressedSize);
  } else {
    yield* await zip.openReadStreamPromise(entry); // ends with an error at the first byte too many, or too few
  }
}

function inflateAtOnce(packed: Buffer, claimed: number): Buffer {
  const contents = inflateBounded(packed, claimed);
  if (contents.length < claimed) throw new Error("not enough bytes in the stream");
  return contents;
}

function inflateBounded(packed: Buffer, bytesMax: number): Buffer {
  try {
    const contents = inflateRawSync(packed, { maxOutputLength: Math.max(bytesMax, 1) });
    if (contents.length <= bytesMax) return contents;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_BUFFER_TOO_LARGE") throw error;
  }
  throw new Error(`too many bytes in the stream, the directory says ${bytesMax}`);
}
