import { buffer } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { crc32, deflateRawSync } from "node:zlib";
import { pack, type Header } from "tar-stream";
import yazl from "yazl";
import { IsolaError, type ErrorCode } from "../errors.ts";
import { readPackage, type PackageInput } from "./read-package.ts";
import type { PackageLimits } from "./package-limits.ts";

export type TarEntry = Partial<Header> & { name: string; text?: string | Buffer };

/** A tar as tar-stream makes it, in the order given. */
export async function tarOf(entries: TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text, ...header } of entries) {
    if (text === undefined) tar.entry({ size: 0, ...header });
    else tar.entry(header, text);
  }
  tar.finalize();
  return await buffer(tar as unknown as Readable);
}

/** A zip as yazl makes it, in the order given. */
export async function zipOf(
  files: [path: string, contents: Buffer, options?: Partial<yazl.Options>][],
  options: { forceZip64Format?: boolean } = {},
): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const [path, contents, each] of files) {
    if (path.endsWith("/")) zip.addEmptyDirectory(path);
    else zip.addBuffer(contents, path, { ...options, ...each });
  }
  zip.end({ forceZip64Format: options.forceZip64Format ?? false, comment: "" });
  return await buffer(zip.outputStream);
}

/** One entry of a hand-made zip. What is not given is what an honest tool would write. */
export interface RawZipEntry {
  name: string | Buffer;
  text?: string | Buffer;
  /** Unix mode with its type bits. */
  mode?: number;
  flags?: number;
  method?: number;
  /** As the directory claims them. */
  claimedBytes?: number;
  claimedCrc?: number;
  /** Name in the entry's own header. */
  localName?: string;
  /** Points the directory at the header of this earlier entry. */
  sharesWith?: number;
}

/** A zip with every lie that a field can hold. `count`: the number of entries that the end record claims. */
export function rawZip(
  entries: RawZipEntry[],
  options: { before?: Buffer; after?: Buffer; count?: number } = {},
): Buffer {
  const parts: Buffer[] = [options.before ?? Buffer.alloc(0)];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let at = parts[0]?.length ?? 0;
  for (const entry of entries) {
    const contents = Buffer.from(entry.text ?? "");
    const method = entry.method ?? 8;
    const data = method === 8 ? deflateRawSync(contents) : contents;
    const common = (name: Buffer) => {
      const head = Buffer.alloc(26);
      head.writeUInt16LE(20, 0);
      head.writeUInt16LE(entry.flags ?? 0x800, 2);
      head.writeUInt16LE(method, 4);
      head.writeUInt32LE(entry.claimedCrc ?? crc32(contents), 10);
      head.writeUInt32LE(data.length, 14);
      head.writeUInt32LE(entry.claimedBytes ?? contents.length, 18);
      head.writeUInt16LE(name.length, 22);
      return head;
    };
    const name = Buffer.from(entry.name);
    const localName = Buffer.from(entry.localName ?? entry.name);
    const local = [Buffer.from("504b0304", "hex"), common(localName), localName, data];
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(offsets[entry.sharesWith ?? -1] ?? at, 10);
    directory.push(Buffer.from("504b01021403", "hex"), common(name), tail, name);
    offsets.push(at);
    if (entry.sharesWith !== undefined) continue;
    parts.push(...local);
    at += local.reduce((sum, part) => sum + part.length, 0);
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(options.count ?? entries.length, 8);
  end.writeUInt16LE(options.count ?? entries.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, listing, end, options.after ?? Buffer.alloc(0)]);
}

/** The canonical tar of an upload. */
export async function canonical(input: PackageInput, limits?: PackageLimits): Promise<Buffer> {
  const checked = await readPackage(input, { limits });
  try {
    return await buffer(checked.tar());
  } finally {
    await checked.close();
  }
}

/** For `assert.rejects`. */
export function refusal(code: ErrorCode, words: RegExp): (error: unknown) => true {
  return (error) => {
    if (error instanceof IsolaError && error.code === code && words.test(error.message)) {
      return true;
    }
    throw error;
  };
}
