import { pipeline } from "node:stream/promises";
import { Transform, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { extract, type Extract, type Header as TarHeader } from "tar-stream";
import { IsolaError } from "../errors.ts";
import type { PackageWriter } from "./package-writer.ts";
import {
  asInvalidPackage,
  checkRatio,
  invalidEntry,
  invalidPackage,
  packageTooLarge,
} from "./refusal.ts";

/** Room for headers, long names and padding, on top of the contents. */
const OVERHEAD_BYTES_PER_ENTRY = 4096;
const BLOCK_BYTES = 512;

/** tar-stream sets more than its types say. */
type Header = Omit<TarHeader, "pax" | "type"> & {
  type: TarHeader["type"] | null;
  byteOffset: number;
  pax: Record<string, string> | null;
};
type Entry = Extract extends AsyncIterable<infer E> ? E : never;

/** Reads a tar, compressed or not, of regular files and folders. Long names of POSIX and GNU are understood. */
export async function readTar(
  source: Readable,
  isGzip: boolean,
  writer: PackageWriter,
): Promise<void> {
  const entries = extract();
  const packed = new ByteCount(writer.limits.packageBytesMax, "the upload is larger");
  const { unpackedBytesMax, entriesMax } = writer.limits;
  const unpackedMax = unpackedBytesMax + (entriesMax + 4) * OVERHEAD_BYTES_PER_ENTRY;
  const unpacked = new ByteCount(unpackedMax, "the archive unpacks to more", (bytes) => {
    if (isGzip) checkRatio("the package", packed.bytes, bytes);
  });
  const streams = isGzip
    ? [source, packed, createGunzip(), unpacked, entries]
    : [source, packed, unpacked, entries];
  const [walked, piped] = await Promise.allSettled([
    walk(entries, writer),
    pipeline(streams as unknown as [Readable, NodeJS.WritableStream]),
  ]);
  throwFirst([walked, piped]);
  const end = walked.status === "fulfilled" ? walked.value : 0;
  if (end + BLOCK_BYTES > unpacked.bytes) {
    throw invalidPackage("the archive is cut short: it has no end mark");
  }
}

/** Answers where the last entry ends. */
async function walk(entries: AsyncIterable<Entry>, writer: PackageWriter): Promise<number> {
  let end = 0;
  for await (const entry of entries) {
    const header = entry.header as unknown as Header;
    const bytes = header.size;
    await takeEntry(entry, header, writer);
    end = header.byteOffset + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return end;
}

async function takeEntry(entry: Entry, header: Header, writer: PackageWriter): Promise<void> {
  const { name, type } = header;
  const bytes = header.size;
  if (type !== "file" && type !== "directory") {
    throw invalidEntry(name, `is ${kinds[type ?? ""] ?? "of a special type"}; ${onlyThese}`);
  }
  if (Object.keys(header.pax ?? {}).some((key) => key.startsWith("GNU.sparse"))) {
    throw invalidEntry(name, `is a sparse file; ${onlyThese}`);
  }
  if (type === "directory" || (name.endsWith("/") && bytes === 0)) {
    if (bytes > 0) throw invalidEntry(name, "is a folder with contents");
    entry.resume();
    writer.addFolder(name);
    return;
  }
  writer.checkClaimedBytes(name, bytes);
  const isExecutable = (header.mode & 0o111) !== 0;
  await writer.addFile(name, isExecutable, entry as AsyncIterable<Buffer>);
}

const onlyThese = "a package holds regular files and folders only";

const kinds: Record<string, string> = {
  link: "a hard link",
  symlink: "a symbolic link",
  "character-device": "a device",
  "block-device": "a device",
  fifo: "a named pipe",
  "contiguous-file": "a contiguous file",
};

/** Our own refusals tell more than the errors that the tearing down of streams makes of them. */
function throwFirst(results: PromiseSettledResult<unknown>[]): void {
  const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (errors.length === 0) return;
  const ours = errors.find((error) => error instanceof IsolaError);
  throw ours ?? asInvalidPackage(errors[0], "the archive is damaged or cut short");
}

/** Passes bytes on and counts them; one too many is `package_too_large`. */
class ByteCount extends Transform {
  bytes = 0;
  readonly #bytesMax: number;
  readonly #what: string;
  readonly #check: (bytes: number) => void;

  constructor(bytesMax: number, what: string, check: (bytes: number) => void = () => {}) {
    super();
    this.#bytesMax = bytesMax;
    this.#what = what;
    this.#check = check;
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error: Error | null, data?: Buffer) => void,
  ): void {
    this.bytes += chunk.length;
    try {
      if (this.bytes > this.#bytesMax) {
        throw packageTooLarge(`${this.#what} than ${this.#bytesMax} bytes`);
      }
      this.#check(this.bytes);
      done(null, chunk);
    } catch (error) {
      done(error as Error);
    }
  }
}
