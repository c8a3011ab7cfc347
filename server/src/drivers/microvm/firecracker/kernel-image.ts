import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import { isLz4, lz4Blocks } from "./lz4.ts";

const KERNEL_BYTES_MAX = 512 * 1024 * 1024;
const SECTOR_BYTES = 512;
/** Of the boot protocol of x86 Linux: Documentation/arch/x86/boot.rst. */
const header = { sectors: 0x1f1, magic: 0x202, version: 0x206, offset: 0x248, length: 0x24c };
const VERSION_WITH_PAYLOAD = 0x208;

/**
 * Resolves with the path of the kernel as an uncompressed ELF file: what a Firecracker before 1.17 boots. The file is made once per kernel, in `cacheDir`.
 * Rejects where the kernel is no such file and holds none.
 */
export async function elfKernel(kernel: string, cacheDir: string): Promise<string> {
  const { size } = await stat(kernel);
  if (size > KERNEL_BYTES_MAX)
    throw new Error(`${kernel} has ${size} bytes, and a kernel at most ${KERNEL_BYTES_MAX}`);
  const bytes = await readFile(kernel);
  if (isElf(bytes)) return kernel;
  const digest = createHash("sha256").update(bytes).digest("hex");
  const path = join(cacheDir, `${digest}.elf`);
  const known = await stat(path).catch(() => null); // not there yet
  if (known !== null) return path;
  const elf = await unpack(kernel, payloadOf(kernel, bytes));
  await mkdir(cacheDir, { recursive: true });
  const half = join(cacheDir, `${digest}.${randomUUID()}`);
  try {
    await writeFile(half, elf, { mode: 0o444 });
    await rename(half, path);
  } catch (error) {
    await rm(half, { force: true });
    throw error;
  }
  return path;
}

function isElf(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).equals(Buffer.from("\x7fELF", "latin1"));
}

/** The compressed kernel inside a bzImage. */
function payloadOf(kernel: string, bytes: Buffer): Buffer {
  const isLongEnough = bytes.length >= header.length + 4;
  const magic = bytes.toString("latin1", header.magic, header.magic + 4);
  if (
    !isLongEnough ||
    magic !== "HdrS" ||
    bytes.readUInt16LE(header.version) < VERSION_WITH_PAYLOAD
  )
    throw new Error(`${kernel} is neither an ELF file nor a bzImage of x86 Linux`);
  // 0 stands for 4.
  const sectors = bytes.readUInt8(header.sectors) || 4;
  const start = (sectors + 1) * SECTOR_BYTES + bytes.readUInt32LE(header.offset);
  const end = start + bytes.readUInt32LE(header.length);
  if (end > bytes.length)
    throw new Error(`${kernel} is cut off: it has ${bytes.length} bytes of at least ${end}`);
  return bytes.subarray(start, end);
}

async function unpack(kernel: string, payload: Buffer): Promise<Buffer> {
  const elf = await decompress(kernel, payload).catch((cause: Error) => {
    throw new Error(`${kernel} cannot be unpacked: ${cause.message}`, { cause });
  });
  if (!isElf(elf)) throw new Error(`${kernel} holds no ELF file`);
  return elf;
}

async function decompress(kernel: string, payload: Buffer): Promise<Buffer> {
  const limit = { maxOutputLength: KERNEL_BYTES_MAX };
  if (isLz4(payload)) return await decompressLz4(payload);
  const start = payload.toString("hex", 0, 6);
  // Both are followed by the length of what they hold.
  if (start.startsWith("1f8b")) return await promisify(gunzip)(payload.subarray(0, -4), limit);
  if (start.startsWith("28b52ffd"))
    return await promisify(zstdDecompress)(payload.subarray(0, -4), limit);
  const kind = start.startsWith("fd377a585a00") ? "xz" : `something that starts with ${start}`;
  throw new Error(
    `it is compressed with ${kind}, and Isola unpacks lz4, gzip and zstd; give the vmlinux that the kernel's scripts/extract-vmlinux makes of ${kernel}, or use Firecracker 1.17`,
  );
}

/** A turn of the event loop between blocks: the keeper, who does this, has deadlines to keep. */
async function decompressLz4(payload: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (const part of lz4Blocks(payload)) {
    parts.push(part);
    bytes += part.length;
    if (bytes > KERNEL_BYTES_MAX) throw new Error(`it has more than ${KERNEL_BYTES_MAX} bytes`);
    await turn();
  }
  return Buffer.concat(parts);
}
