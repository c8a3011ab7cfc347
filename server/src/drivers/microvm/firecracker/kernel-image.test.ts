import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { elfKernel } from "./kernel-image.ts";
import { lz4Blocks } from "./lz4.ts";

/** Something of an ELF file that can be made smaller. */
const elf = Buffer.concat([Buffer.from("\x7fELF"), Buffer.from("isola ".repeat(50_000))]);
const size = Buffer.alloc(4);
size.writeUInt32LE(elf.length);

/** A bzImage of x86 Linux with that payload, as far as its header goes. */
function bzImage(payload: Buffer): Buffer {
  const setup = Buffer.alloc(1024);
  setup.writeUInt8(1, 0x1f1);
  setup.write("HdrS", 0x202);
  setup.writeUInt16LE(0x20f, 0x206);
  setup.writeUInt32LE(16, 0x248);
  setup.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([setup, Buffer.alloc(16), payload, Buffer.alloc(100)]);
}

/** A block of literals, then one match that reaches back six bytes and overlaps itself, then the last literals. */
function lz4Of(text: Buffer): Buffer {
  const repeated = text.length - 10 - 12;
  const long = (length: number) =>
    length < 15
      ? []
      : [...Array<number>(Math.floor((length - 15) / 255)).fill(255), (length - 15) % 255];
  const first = Buffer.concat([
    Buffer.from([(10 << 4) | 15]),
    text.subarray(0, 10),
    Buffer.from([6, 0, ...long(repeated - 4)]),
    Buffer.from([12 << 4]),
    text.subarray(-12),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(first.length);
  return Buffer.concat([Buffer.from("02214c18", "hex"), length, first]);
}

function stand(t: TestContext, kernel: Buffer): { path: string; cache: string } {
  const folder = mkdtempSync(join(tmpdir(), "isola-kernel-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "kernel"), kernel);
  return { path: join(folder, "kernel"), cache: join(folder, "cache") };
}

describe("the kernel for an older Firecracker", () => {
  const payloads = {
    lz4: Buffer.concat([lz4Of(elf), size]),
    gzip: Buffer.concat([gzipSync(elf), size]),
    zstd: Buffer.concat([zstdCompressSync(elf), size]),
  };
  for (const [kind, payload] of Object.entries(payloads))
    test(`is unpacked from a bzImage with ${kind}, once`, async (t) => {
      const { path, cache } = stand(t, bzImage(payload));
      const made = await elfKernel(path, cache);
      assert(readFileSync(made).equals(elf));
      assert.equal(await elfKernel(path, cache), made);
      assert.equal(readdirSync(cache).length, 1);
    });

  test("is the file itself where that is an ELF file", async (t) => {
    const { path, cache } = stand(t, elf);
    assert.equal(await elfKernel(path, cache), path);
  });

  const refused: Record<string, [Buffer, RegExp]> = {
    "is no kernel": [Buffer.from("#!/bin/sh\n"), /neither an ELF file nor a bzImage/],
    "is empty": [Buffer.alloc(0), /neither an ELF file nor a bzImage/],
    "is cut off": [bzImage(payloads.gzip).subarray(0, 1100), /is cut off: it has 1100 bytes of/],
    "is packed with xz": [
      bzImage(Buffer.from("fd377a585a000000", "hex")),
      /compressed with xz, and Isola unpacks lz4, gzip and zstd; give the vmlinux/,
    ],
    "is packed badly": [bzImage(Buffer.from("1f8b0800ffff")), /cannot be unpacked/],
    "holds something else": [bzImage(Buffer.concat([gzipSync("text"), size])), /no ELF file/],
    "refers to what is not in it": [
      bzImage(Buffer.concat([Buffer.from("02214c180500000014414243440900", "hex"), size])),
      /cannot be unpacked: a block of LZ4/,
    ],
  };
  for (const [what, [bytes, message]] of Object.entries(refused))
    test(`is refused where it ${what}, and nothing is kept`, async (t) => {
      const { path, cache } = stand(t, bytes);
      await assert.rejects(elfKernel(path, cache), message);
      assert.throws(() => readdirSync(cache), { code: "ENOENT" });
    });
});

test("LZ4 blocks of any length are put together", () => {
  for (const repeats of [10, 50, 1000])
    assert(
      Buffer.concat([...lz4Blocks(lz4Of(Buffer.from("abcdef".repeat(repeats))))]).equals(
        Buffer.from("abcdef".repeat(repeats)),
      ),
    );
});
