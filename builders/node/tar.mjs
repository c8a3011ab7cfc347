import { createReadStream, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

const BLOCK_BYTES = 512;
const LINK_DEPTH_MAX = 8;

/**
 * A file of the result: where it lies, and its path in the archive.
 * @typedef {{from: string, path: string, bytes: number, isExecutable: boolean}} TarFile
 */

/**
 * Every file below the folder, or below those of its folders that are named. Links become what they point to, where that is below the folder too; others are left out,
 * and so are folders named `.bin`, which hold nothing else.
 * @param {string} root @param {readonly string[] | null} only @returns {TarFile[]}
 */
export function filesBelow(root, only) {
  /** @type {TarFile[]} */
  const files = [];
  const real = realpathSync(root);
  const visit = (/** @type {string} */ path, /** @type {number} */ links) => {
    const from = join(real, path);
    const isLink = lstatSync(from).isSymbolicLink();
    if (isLink && !isInside(from, real)) return;
    const stat = statSync(from);
    const passed = links + (isLink ? 1 : 0);
    if (stat.isFile()) {
      files.push({ from, path, bytes: stat.size, isExecutable: (stat.mode & 0o111) !== 0 });
    } else if (stat.isDirectory() && passed <= LINK_DEPTH_MAX) {
      for (const name of readdirSync(from).sort())
        if (name !== ".bin") visit(path === "" ? name : `${path}/${name}`, passed);
    }
  };
  for (const path of only ?? [""])
    if (lstatSync(join(real, path), { throwIfNoEntry: false })) visit(path, 0);
  return files;
}

/** @param {string} path @param {string} root */
function isInside(path, root) {
  try {
    const target = realpathSync(path);
    return target.startsWith(`${root}/`) && !path.startsWith(`${target}/`);
  } catch {
    return false; // it points to nothing
  }
}

/** @param {readonly TarFile[]} files @returns {AsyncGenerator<Uint8Array>} */
export async function* tarOf(files) {
  for (const { from, path, bytes, isExecutable } of files) {
    const name = Buffer.from(path);
    if (name.length > 100 || name.length !== path.length) yield* paxRecord(name);
    yield header(name.subarray(0, 100), isExecutable ? 0o755 : 0o644, bytes, "0");
    let given = 0;
    if (bytes > 0)
      for await (const chunk of createReadStream(from, { end: bytes - 1 })) {
        given += chunk.length;
        yield chunk;
      }
    if (given !== bytes) throw new Error(`${path} changed while it was packed`);
    yield* padding(bytes);
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

/** @param {Buffer} name */
function* paxRecord(name) {
  const rest = name.length + " path=\n".length;
  let length = rest + 1;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  yield header(Buffer.from("pax"), 0o644, length, "x");
  yield Buffer.concat([Buffer.from(`${length} path=`), name, Buffer.from("\n")]);
  yield* padding(length);
}

/** @param {number} bytes */
function* padding(bytes) {
  const left = (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
  if (left > 0) yield Buffer.alloc(left);
}

/** @param {Buffer} name @param {number} mode @param {number} size @param {string} type */
function header(name, mode, size, type) {
  const block = Buffer.alloc(BLOCK_BYTES);
  name.copy(block);
  const octal = (/** @type {number} */ value, /** @type {number} */ digits) =>
    `${value.toString(8).padStart(digits, "0")}\0`;
  block.write(octal(mode, 7), 100, "latin1");
  block.write(octal(0, 7), 108, "latin1");
  block.write(octal(0, 7), 116, "latin1");
  block.write(octal(size, 11), 124, "latin1");
  block.write(octal(0, 11), 136, "latin1");
  block.write("        ", 148, "latin1");
  block.write(type, 156, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
