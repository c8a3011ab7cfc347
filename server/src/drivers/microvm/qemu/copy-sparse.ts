import { type FileHandle, open } from "node:fs/promises";
import { MiB } from "../../../domain/limits.ts";

const PAGE_BYTES = 4096;
const zeros = Buffer.alloc(PAGE_BYTES);

/** Copies a file whose size is a multiple of 4 KiB. Pages of zeros are holes of the copy, and take no room. */
export async function copySparse(from: string, to: string): Promise<void> {
  await using source = await open(from, "r");
  await using copy = await open(to, "wx");
  const part = Buffer.alloc(MiB);
  let at = 0;
  for (;;) {
    const { bytesRead } = await source.read(part, 0, part.length, at);
    if (bytesRead === 0) break;
    for (const [start, end] of filled(part.subarray(0, bytesRead)))
      await writeAll(copy, part.subarray(start, end), at + start);
    at += bytesRead;
  }
  await copy.truncate(at);
}

/** A disk that becomes full takes a part of what it is given, and says so with the next alone. */
async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}

/** Runs of pages that are not all zeros, as `[start, end)`. */
function filled(part: Buffer): [start: number, end: number][] {
  const runs: [number, number][] = [];
  for (let start = 0; start < part.length; start += PAGE_BYTES) {
    const end = start + PAGE_BYTES;
    if (part.compare(zeros, 0, PAGE_BYTES, start, end) === 0) continue;
    const last = runs.at(-1);
    if (last?.[1] === start) last[1] = end;
    else runs.push([start, end]);
  }
  return runs;
}
