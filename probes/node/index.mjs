// Runs in a sandbox, as a function does: a fixed amount of one kind of work for each call, so that `isola compare` can tell what a driver
// makes of it. The amounts stand in `mixSpecs` of server/src/domain/comparison.ts; the Python probe does the same.
import { createHash } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MiB = 1_048_576;
const STATS = 2000;
const PAGE_BYTES = 4096;
const block = Buffer.alloc(MiB, 7);

const mixes = {
  syscall() {
    let bytes = 0;
    for (let at = 0; at < STATS; at += 1) bytes += statSync("/").size;
    return bytes;
  },
  cpu() {
    const hash = createHash("sha256");
    for (let at = 0; at < 4; at += 1) hash.update(block);
    return hash.digest("hex");
  },
  memory() {
    const bytes = new Uint8Array(32 * MiB);
    const { length } = bytes;
    for (let at = 0; at < length; at += PAGE_BYTES) bytes[at] = 1;
    bytes.buffer.transfer(0); // given back now, and not when V8 next collects
    return length;
  },
  io() {
    const path = join(tmpdir(), "probe");
    writeFileSync(path, block);
    const { length } = readFileSync(path);
    rmSync(path);
    return length;
  },
};

/** @param {{ mix: keyof typeof mixes }} event */
export const handler = async ({ mix }) => ({ mix, done: mixes[mix]() });
