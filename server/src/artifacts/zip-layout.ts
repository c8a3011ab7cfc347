import { invalidEntry, invalidPackage } from "./refusal.ts";

/** The bytes of one entry, from its own header to the end of its contents. */
export interface ZipRegion {
  name: string;
  start: number;
  end: number;
}

const END_RECORD_BYTES = 22;
const ZIP64_RECORDS_BYTES = 56 + 20;
const END_SIGNATURE = 0x06054b50;
const ZIP64_END_SIGNATURE = 0x06064b50;

/**
 * A zip can be read from the front and from the back, and a hostile one says different things in each direction. Taken is only what says one thing:
 * entries from byte 0 on that share no byte, the directory after them, the end records right after the directory, and nothing behind those.
 */
export function checkZipLayout(zip: {
  bytes: Buffer;
  regions: ZipRegion[];
  directoryStart: number;
  directoryEnd: number;
}): void {
  const { bytes, directoryStart, directoryEnd } = zip;
  const regions = zip.regions.toSorted((a, b) => a.start - b.start);
  const first = regions[0];
  if ((first?.start ?? directoryStart) !== 0) {
    throw invalidPackage("the zip archive has other data before its first entry");
  }
  let end = 0;
  for (const region of regions) {
    if (region.start < end) throw invalidEntry(region.name, "shares bytes with another entry");
    end = region.end;
    if (end > directoryStart) throw invalidEntry(region.name, "reaches into the directory");
  }
  if (!isEnd(bytes, directoryEnd)) {
    throw invalidPackage("the zip archive has data that its directory does not account for");
  }
}

/** Whether the end records begin at `at`. That the last of them ends with the file is checked when the archive is opened. */
function isEnd(bytes: Buffer, at: number): boolean {
  if (at + END_RECORD_BYTES > bytes.length) return false;
  const signature = bytes.readUInt32LE(at);
  if (signature !== ZIP64_END_SIGNATURE) return signature === END_SIGNATURE && closes(bytes, at);
  if (at + ZIP64_RECORDS_BYTES + END_RECORD_BYTES > bytes.length) return false;
  const sizeAfterItsField = Number(bytes.readBigUInt64LE(at + 4));
  const locator = at + 12 + sizeAfterItsField;
  return closes(bytes, locator + 20);
}

function closes(bytes: Buffer, at: number): boolean {
  if (at + END_RECORD_BYTES > bytes.length || bytes.readUInt32LE(at) !== END_SIGNATURE) {
    return false;
  }
  return at + END_RECORD_BYTES + bytes.readUInt16LE(at + 20) === bytes.length;
}
