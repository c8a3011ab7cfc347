import { inflateRawSync } from "node:zlib";

/** The files of a zip by their path; no checks, for archives of our own making. */
export function unzip(zip: Buffer): Map<string, { bytes: Buffer; mode: number }> {
  const files = new Map<string, { bytes: Buffer; mode: number }>();
  const end = zip.lastIndexOf(Buffer.from("PK\u0005\u0006"));
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((o) => zip.readUInt16LE(at + o));
    const path = zip.toString("utf8", at + 46, at + 46 + (nameBytes as number));
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
    const isDeflated = zip.readUInt16LE(at + 10) === 8;
    files.set(path, {
      bytes: isDeflated ? inflateRawSync(packed) : Buffer.from(packed),
      mode: zip.readUInt32LE(at + 38) >>> 16,
    });
    at += 46 + (nameBytes as number) + (extraBytes as number) + (commentBytes as number);
  }
  return files;
}

/** A tar as the server makes it; names above 100 bytes go into a pax record. */
export function tarOf(files: Map<string, { bytes: Buffer; mode: number }>): Buffer {
  const blocks: Buffer[] = [];
  for (const [path, { bytes, mode }] of files) {
    if (Buffer.byteLength(path) > 100) {
      const length = String(path.length + 20).length + 1 + `path=${path}\n`.length;
      const record = Buffer.from(`${length} path=${path}\n`);
      blocks.push(header("pax", record.length, 0o644, "x"), padded(record));
    }
    const isExecutable = (mode & 0o100) !== 0;
    blocks.push(header(path.slice(0, 100), bytes.length, isExecutable ? 0o755 : 0o644, "0"));
    blocks.push(padded(bytes));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function header(name: string, size: number, mode: number, type: string): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write(mode.toString(8).padStart(7, "0"), 100);
  block.write(size.toString(8).padStart(11, "0"), 124);
  block.write(type, 156);
  block.write("ustar\u000000", 257);
  return block;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
