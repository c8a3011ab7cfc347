import assert from "node:assert/strict";

/** One entry of an archive: a folder, a file, or a device of characters. */
export interface CpioEntry {
  /** Without a slash before it. */
  path: string;
  /** Permissions, as of `chmod`. */
  mode: number;
  content: "folder" | Buffer | { major: number; minor: number };
}

const HEADER_BYTES = 110;
const ALIGNMENT = 4;
const [FOLDER, FILE, DEVICE] = [0o040000, 0o100000, 0o020000];
/** What the archive's format has for a number: eight hexadecimal digits. */
const NUMBER_MAX = 0xffffffff;

/**
 * An archive as the kernel unpacks it at its start (`newc` of cpio, Documentation/driver-api/early-userspace/buffer-format.rst). All belongs to root and has no time,
 * so the same entries are the same bytes. A folder stands before what is in it.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.flatMap((entry, at) => entryParts(entry, at + 1));
  return Buffer.concat([
    ...parts,
    ...entryParts({ path: "TRAILER!!!", mode: 0, content: Buffer.alloc(0) }, 0),
  ]);
}

function entryParts({ path, mode, content }: CpioEntry, inode: number): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const bytes = Buffer.isBuffer(content) ? content : Buffer.alloc(0);
  const device = typeof content === "object" && "major" in content ? content : null;
  const kind = content === "folder" ? FOLDER : device === null ? FILE : DEVICE;
  const numbers = [
    ...[inode, inode === 0 ? 0 : kind | mode, 0, 0, content === "folder" ? 2 : 1, 0],
    ...[bytes.length, 0, 0, device?.major ?? 0, device?.minor ?? 0, name.length, 0],
  ];
  assert(
    numbers.every((each) => Number.isInteger(each) && each >= 0 && each <= NUMBER_MAX),
    path,
  );
  const header = `070701${numbers.map((each) => each.toString(16).padStart(8, "0")).join("")}`;
  assert(header.length === HEADER_BYTES);
  return [
    Buffer.from(header),
    name,
    padding(HEADER_BYTES + name.length),
    bytes,
    padding(bytes.length),
  ];
}

function padding(bytes: number): Buffer {
  return Buffer.alloc((ALIGNMENT - (bytes % ALIGNMENT)) % ALIGNMENT);
}
