import { Failure } from "../command.ts";
import type { PackageFile } from "./package-files.ts";

const BLOCK_BYTES = 512;

export function filesOfTar(tar: Uint8Array): PackageFile[] {
  return entriesOfTar(tar).files;
}

/** What is in a tar as the server answers it: ustar, with `path` records of pax for long names. Names of folders end with a slash. */
export function entriesOfTar(tar: Uint8Array): { files: PackageFile[]; folders: string[] } {
  const bytes = Buffer.from(tar.buffer, tar.byteOffset, tar.byteLength);
  const files: PackageFile[] = [];
  const folders: string[] = [];
  let longPath: string | null = null;
  let at = 0;
  while (at + BLOCK_BYTES <= bytes.length && bytes[at] !== 0) {
    const header = bytes.subarray(at, at + BLOCK_BYTES);
    const size = Number.parseInt(textIn(header, 124, 12), 8);
    const start = at + BLOCK_BYTES;
    if (!(size >= 0) || start + size > bytes.length) {
      throw new Failure("The server's copy of the code is not a tar that this version reads");
    }
    const content = bytes.subarray(start, start + size);
    const type = textIn(header, 156, 1);
    if (type === "x") longPath = pathRecord(content.toString("utf8"));
    else {
      const mode = Number.parseInt(textIn(header, 100, 8), 8);
      const path = longPath ?? pathIn(header);
      const isExecutable = (mode & 0o111) !== 0;
      if (type === "0" || type === "") files.push({ path, bytes: content, isExecutable });
      if (type === "5") folders.push(path);
      longPath = null;
    }
    at = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return { files, folders };
}

function pathIn(header: Buffer): string {
  const prefix = textIn(header, 345, 155);
  const name = textIn(header, 0, 100);
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Text up to the first NUL. */
function textIn(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}

/** `27 path=a/long/name\n`, among other records. */
function pathRecord(text: string): string | null {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(text)?.[1] ?? null;
}
