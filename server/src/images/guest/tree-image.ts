import { existsSync } from "node:fs";
import {
  chmod,
  constants,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { type GuestWork, run } from "./guest-work.ts";
import type { GuestTree } from "./guest-tree.ts";
import type { FileSystem } from "./initramfs.ts";

/** The same for all: two images of the same files are the same bytes. */
const UUID = "69736f6c-6100-4000-8000-000000000000";
const MISSING =
  "mkfs.erofs makes the images of sandboxes and is not installed: apt-get install -y erofs-utils";

/** Which kind of image can be made here; erofs where both can. */
export function fileSystemHere(isThere: (program: string) => boolean): FileSystem {
  return !isThere("mkfs.erofs") && isThere("mksquashfs") ? "squashfs" : "erofs";
}

export function imageName(fileSystem: FileSystem): string {
  return `image.${fileSystem}`;
}

/** `aligned`: erofs whose files each begin at a page of their own, as gVisor needs them to map one. */
type ImageKind = FileSystem | "aligned";

/** Fills a folder with the image of a tree. Rejects with `driver_unavailable`. */
export async function fillWithImage(
  folder: string,
  tree: GuestTree,
  kind: ImageKind,
  work: GuestWork,
): Promise<void> {
  const staged = await mkdtemp(join(folder, "staged-"));
  try {
    await stage(tree, staged);
    const target = join(folder, imageName(kind === "aligned" ? "erofs" : kind));
    const [program, args] = commands[kind](staged, target);
    await run(program, args, { ...work, missing: MISSING });
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

const erofs = ["-T0", `-U${UUID}`, "-x-1", "--all-root"];

/** Not compressed: unpacking costs more of a start than reading does, by a fifth in a machine that is emulated. */
const commands: Record<ImageKind, (from: string, to: string) => [string, string[]]> = {
  erofs: (from, to) => ["mkfs.erofs", [...erofs, to, from]],
  aligned: (from, to) => ["mkfs.erofs", [...erofs, "-Enoinline_data", to, from]],
  squashfs: (from, to) => [
    "mksquashfs",
    [
      from,
      to,
      "-noappend",
      "-quiet",
      "-no-progress",
      "-no-xattrs",
      "-all-root",
      "-comp",
      "lz4",
      "-mkfs-time",
      "0",
      "-all-time",
      "0",
    ],
  ],
};

async function stage(tree: GuestTree, to: string): Promise<void> {
  await chmod(to, 0o755);
  for (const [path, entry] of tree.entries) {
    const at = join(to, path);
    if (entry.kind === "folder") await mkdir(at, { mode: 0o755 });
    else if (entry.kind === "link") await symlink(entry.target, at);
    else if (entry.kind === "text") await writeFile(at, entry.text, { mode: 0o444 });
    else if (entry.kind === "program")
      await writeFile(at, Buffer.from(entry.base64, "base64"), { mode: 0o555 });
    else await stageFile(entry.from, at, entry.mode);
  }
}

async function stageFile(from: string, at: string, mode: number): Promise<void> {
  const source = sourceOf(from);
  if (source !== null && !(await isCompiledOf(from, source))) return;
  await copyFile(from, at, constants.COPYFILE_FICLONE);
  if (source !== null) await makeUnchecked(at);
  await chmod(at, mode);
}

/** Of what Python has compiled: magic number, flags, and time and size of the source (PEP 552), each of 32 bits. */
const HEADER_BYTES = 16;
const [FLAGS_AT, TIME_AT, SIZE_AT] = [4, 8, 12];
/** By the hash of a source, at which nobody looks. */
const UNCHECKED = 1;

/** Path of what a file was compiled of; null: it is no such file. */
function sourceOf(path: string): string | null {
  const name = /\/__pycache__\/([^/]+)\.cpython-\d+\.pyc$/.exec(path)?.[1];
  return name === undefined ? null : join(dirname(dirname(path)), `${name}.py`);
}

/** Whether Python itself would take it for its source. */
async function isCompiledOf(path: string, source: string): Promise<boolean> {
  if (!existsSync(source)) return false;
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES || buffer.readUInt32LE(FLAGS_AT) !== 0) return false;
    const { size, mtimeMs } = await stat(source);
    return (
      buffer.readUInt32LE(TIME_AT) === Math.floor(mtimeMs / 1000) >>> 0 &&
      buffer.readUInt32LE(SIZE_AT) === size >>> 0
    );
  } finally {
    await file.close();
  }
}

/** Files of an image have no times: what is compiled is valid as it is, or it would be compiled at every start. */
async function makeUnchecked(path: string): Promise<void> {
  await chmod(path, 0o644);
  const file = await open(path, "r+");
  try {
    const rest = Buffer.alloc(HEADER_BYTES - FLAGS_AT);
    rest.writeUInt32LE(UNCHECKED);
    await file.write(rest, 0, rest.length, FLAGS_AT);
  } finally {
    await file.close();
  }
}
