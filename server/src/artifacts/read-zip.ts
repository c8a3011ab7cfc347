import yauzl, { type Entry, type ZipFile } from "yauzl";
import type { PackageWriter } from "./package-writer.ts";
import {
  asInvalidPackage,
  checkRatio,
  invalidEntry,
  packageTooLarge,
  showName,
} from "./refusal.ts";
import { DEFLATED, STORED, zipContents, type PackedEntry } from "./zip-contents.ts";
import { checkZipLayout, type ZipRegion } from "./zip-layout.ts";

const FILE_TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const FOLDER = 0o040000;
const FLAG_ENCRYPTED = 0x41;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a zip that is wholly in memory (its size is bounded): first everything the directory claims is checked, then the contents are inflated and counted. */
export async function readZip(bytes: Buffer, writer: PackageWriter): Promise<void> {
  try {
    const zip = await yauzl.fromBufferPromise(bytes, { decodeStrings: false });
    await readEntries(zip, bytes, writer);
  } catch (error) {
    throw asInvalidPackage(error, "the zip archive cannot be read");
  }
}

async function readEntries(zip: ZipFile, bytes: Buffer, writer: PackageWriter): Promise<void> {
  const { entriesMax } = writer.limits;
  if (zip.entryCount > entriesMax) {
    throw packageTooLarge(`the package has more than ${entriesMax} files and folders`);
  }
  const directoryStart = Number(zip.readEntryCursor); // a number; its types say boolean
  const entries: (NamedEntry & ZipRegion)[] = [];
  for await (const entry of zip.eachEntry()) {
    const named = { entry, ...nameOf(entry) };
    checkEntry(named);
    entries.push({ ...named, ...(await regionOf(zip, named)) });
  }
  const directoryEnd = Number(zip.readEntryCursor);
  checkZipLayout({ bytes, regions: entries, directoryStart, directoryEnd });
  const claimed = entries.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
  const last = entries.at(-1);
  if (last) writer.checkClaimedBytes(last.name, claimed);
  checkRatio("the package", bytes.length, claimed);
  for (const entry of entries) {
    const packed = bytes.subarray(entry.end - entry.entry.compressedSize, entry.end);
    await takeEntry(zip, { ...entry, packed }, writer);
  }
}

interface NamedEntry {
  entry: Entry;
  name: string;
  isFolder: boolean;
}

function nameOf(entry: Entry): { name: string; isFolder: boolean } {
  try {
    const name = utf8.decode(entry.fileNameRaw);
    return { name, isFolder: name.endsWith("/") };
  } catch (error) {
    const shown = entry.fileNameRaw.toString("latin1");
    throw invalidEntry(shown, "has a name that is not valid UTF-8", error);
  }
}

function checkEntry({ entry, name, isFolder }: NamedEntry): void {
  if ((entry.generalPurposeBitFlag & FLAG_ENCRYPTED) !== 0) {
    throw invalidEntry(name, "is encrypted; upload the package without a password");
  }
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
    throw invalidEntry(
      name,
      `is compressed with method ${entry.compressionMethod}; stored and deflate are understood`,
    );
  }
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE_MASK;
  if (type !== 0 && type !== REGULAR && type !== FOLDER) {
    const what = type === 0o120000 ? "a symbolic link" : "a special file";
    throw invalidEntry(name, `is ${what}; a package holds regular files and folders only`);
  }
  if ((type === FOLDER && !isFolder) || (type === REGULAR && isFolder)) {
    throw invalidEntry(name, "is a folder by its name or by its type, but not by both");
  }
  if (isFolder && entry.uncompressedSize > 0) throw invalidEntry(name, "is a folder with contents");
  checkRatio(`entry ${showName(name)}`, entry.compressedSize, entry.uncompressedSize);
}

async function regionOf(zip: ZipFile, { entry, name }: NamedEntry): Promise<ZipRegion> {
  const local = await zip.readLocalFileHeaderPromise(entry);
  if (!local.fileName.equals(entry.fileNameRaw)) {
    throw invalidEntry(name, "has another name in its own header than in the directory");
  }
  const start = entry.relativeOffsetOfLocalHeader;
  return { name, start, end: local.fileDataStart + entry.compressedSize };
}

async function takeEntry(
  zip: ZipFile,
  named: NamedEntry & PackedEntry,
  writer: PackageWriter,
): Promise<void> {
  const { entry, name, isFolder } = named;
  if (isFolder) {
    writer.addFolder(name);
    return;
  }
  const mode = entry.externalFileAttributes >>> 16;
  await writer.addFile(name, (mode & 0o111) !== 0, zipContents(zip, named));
}
