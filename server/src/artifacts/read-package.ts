import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { canonicalTar } from "./canonical-tar.ts";
import { asDiskFailure } from "./disk-failure.ts";
import { defaultPackageLimits, type PackageLimits } from "./package-limits.ts";
import { PackageWriter } from "./package-writer.ts";
import { readTar } from "./read-tar.ts";
import { readZip } from "./read-zip.ts";
import { invalidPackage, packageTooLarge } from "./refusal.ts";
import { sniff, SNIFF_BYTES, type ArchiveType } from "./sniff.ts";
import { Spool } from "./spool.ts";

/** An upload: an archive in memory or in a file (never one that a sandbox can write), or texts by path. `archive` takes either type; tar may be gzipped. */
export type PackageInput =
  | { kind: "zip" | "tar" | "archive"; bytes: Buffer }
  | { kind: "zip" | "tar" | "archive"; path: string }
  | { kind: "files"; files: Record<string, string> };

/** A package that kept every rule. Holds its contents until `close`. */
export interface CheckedPackage {
  /** Files and folders. */
  entries: number;
  unpackedBytes: number;
  /** Of every entry, sorted; folders without a slash at the end. */
  paths: readonly string[];
  /** The canonical tar, from its start; may be asked for more than once. */
  tar(): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/**
 * Checks an upload and makes it canonical. Rejects with `invalid_package` or `package_too_large` that names the entry and the rule, or with `not_ready`
 * when there is no room for it in `tempDir` (used above 8 MiB); then nothing is held. A zip is in memory while it is read, at most `packageBytesMax`.
 */
export async function readPackage(
  input: PackageInput,
  options: { limits?: PackageLimits; tempDir?: string } = {},
): Promise<CheckedPackage> {
  const spool = new Spool(options.tempDir ?? tmpdir());
  const writer = new PackageWriter(options.limits ?? defaultPackageLimits, spool);
  try {
    await (input.kind === "files" ? readFiles(input.files, writer) : readArchive(input, writer));
    if (writer.tree.files === 0) throw invalidPackage("the package holds no file");
    await spool.seal();
  } catch (error) {
    await spool.close();
    throw error;
  }
  const entries = writer.tree.sorted();
  return {
    entries: entries.length,
    unpackedBytes: spool.bytes,
    paths: entries.map(({ path }) => path),
    tar: () => canonicalTar(entries, spool),
    close: () => spool.close(),
  };
}

async function readFiles(files: Record<string, string>, writer: PackageWriter): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await writer.addFile(name, false, [Buffer.from(text)]);
  }
}

type Archive = Exclude<PackageInput, { kind: "files" }>;

async function readArchive(input: Archive, writer: PackageWriter): Promise<void> {
  const { packageBytesMax } = writer.limits;
  const { bytes, head } = await measure(input);
  if (bytes > packageBytesMax) {
    throw packageTooLarge(`the upload has ${bytes} bytes, the limit is ${packageBytesMax}`);
  }
  const type = typeOf(input.kind, head);
  if (type === "zip") {
    await readZip("bytes" in input ? input.bytes : await readFile(input.path), writer);
    return;
  }
  const source = "bytes" in input ? Readable.from([input.bytes]) : createReadStream(input.path);
  await readTar(source, type === "gzip", writer);
}

async function measure(input: Archive): Promise<{ bytes: number; head: Buffer }> {
  if ("bytes" in input) return { bytes: input.bytes.length, head: input.bytes };
  try {
    const { size } = await stat(input.path);
    const file = await open(input.path);
    try {
      const head = Buffer.alloc(SNIFF_BYTES);
      const { bytesRead } = await file.read(head, 0, SNIFF_BYTES, 0);
      return { bytes: size, head: head.subarray(0, bytesRead) };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw asDiskFailure(error, "The upload could not be read");
  }
}

const wanted = {
  zip: { types: ["zip"], words: "a zip archive" },
  tar: { types: ["tar", "gzip"], words: "a tar archive, gzipped or not" },
  archive: {
    types: ["zip", "tar", "gzip"],
    words: "a zip archive or a tar archive, gzipped or not",
  },
} satisfies Record<string, { types: ArchiveType[]; words: string }>;

const taken: Record<ArchiveType, string> = {
  zip: "a zip archive",
  gzip: "a gzipped file",
  tar: "a tar archive",
};

function typeOf(kind: keyof typeof wanted, head: Buffer): ArchiveType {
  const found = sniff(head.subarray(0, SNIFF_BYTES));
  const { types, words } = wanted[kind];
  if (found.type !== null && (types as ArchiveType[]).includes(found.type)) return found.type;
  const given = found.type === null ? found.seems : taken[found.type];
  throw invalidPackage(`the upload should be ${words}; by its first bytes it is ${given}`);
}
