import { chmodSync, closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { FrameError } from "../../protocol/src/frames.mjs";

const BLOCK_BYTES = 512;
const PAX_BYTES_MAX = 65_536;
const NAME_BYTES_MAX = 4096;

/**
 * Unpacks a tar (ustar, `x` records with `path`) below a folder while its bytes arrive. A malformed archive throws `FrameError`: the
 * platform made it. Life: header <-> data -> padding -> header ... -> ended (a block of zeros).
 */
export class ArchiveUnpacker {
  /** Paths of the files, below the root, in the archive's order. @type {string[]} */
  files = [];
  #root;
  /** @type {Set<string>} */
  #folders = new Set();
  /** Bytes of a header that has not fully arrived. */
  #partial = Buffer.alloc(0);
  #dataLeft = 0;
  #paddingLeft = 0;
  /** @type {number | null} */
  #file = null;
  /** Content of an `x` record under way. @type {Buffer[] | null} */
  #pax = null;
  /** @type {string | null} */
  #longPath = null;
  #isEnded = false;

  /** @param {string} root */
  constructor(root) {
    this.#root = root;
    mkdirSync(root, { recursive: true });
  }

  /** @param {Buffer} bytes */
  push(bytes) {
    let at = 0;
    while (at < bytes.length && !this.#isEnded) {
      if (this.#dataLeft > 0) at = this.#takeData(bytes, at);
      else if (this.#paddingLeft > 0) at = this.#skipPadding(bytes, at);
      else at = this.#takeHeader(bytes, at);
    }
  }

  /** Everything has arrived: makes the folders read-only. */
  finish() {
    if (this.#dataLeft > 0 || this.#partial.length > 0 || this.#pax !== null)
      throw new FrameError("the code archive ends inside an entry");
    for (const folder of this.#folders) chmodSync(join(this.#root, folder), 0o555);
    try {
      chmodSync(this.#root, 0o555);
    } catch (error) {
      // A mount that belongs to someone else: its owner decided its mode, and this process could not widen it either.
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code !== "EPERM" && code !== "EROFS") throw error;
    }
  }

  /** @param {Buffer} bytes @param {number} at */
  #takeData(bytes, at) {
    const end = Math.min(bytes.length, at + this.#dataLeft);
    if (this.#pax !== null) this.#pax.push(Buffer.from(bytes.subarray(at, end)));
    else if (this.#file !== null)
      for (let from = at; from < end; ) from += writeSync(this.#file, bytes, from, end - from);
    this.#dataLeft -= end - at;
    if (this.#dataLeft === 0) this.#endEntry();
    return end;
  }

  /** @param {Buffer} bytes @param {number} at */
  #skipPadding(bytes, at) {
    const skipped = Math.min(bytes.length - at, this.#paddingLeft);
    this.#paddingLeft -= skipped;
    return at + skipped;
  }

  /** @param {Buffer} bytes @param {number} at */
  #takeHeader(bytes, at) {
    const needed = BLOCK_BYTES - this.#partial.length;
    if (bytes.length - at < needed) {
      this.#partial = Buffer.concat([this.#partial, bytes.subarray(at)]);
      return bytes.length;
    }
    const own = bytes.subarray(at, at + needed);
    const block = this.#partial.length === 0 ? own : Buffer.concat([this.#partial, own]);
    this.#partial = Buffer.alloc(0);
    this.#startEntry(block);
    return at + needed;
  }

  /** @param {Buffer} block */
  #startEntry(block) {
    if (block[0] === 0) {
      this.#isEnded = true;
      return;
    }
    const { path, mode, size, type } = readHeader(block);
    this.#dataLeft = size;
    this.#paddingLeft = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
    if (type === "x") {
      if (size > PAX_BYTES_MAX) throw new FrameError(`archive record of ${size} bytes`);
      this.#pax = [];
      return;
    }
    const name = checkedPath(this.#longPath ?? path);
    this.#longPath = null;
    if (type === "5") this.#makeFolder(name);
    else if (type === "0" || type === "\0") this.#openFile(name, (mode & 0o111) !== 0);
    else throw new FrameError(`archive entry ${name} is neither a file nor a folder`);
    if (size === 0) this.#endEntry();
  }

  #endEntry() {
    if (this.#pax !== null) this.#longPath = paxPath(Buffer.concat(this.#pax).toString());
    else if (this.#file !== null) closeSync(this.#file);
    this.#pax = null;
    this.#file = null;
  }

  /** @param {string} name @param {boolean} isExecutable */
  #openFile(name, isExecutable) {
    const folder = dirname(name);
    if (folder !== ".") this.#makeFolder(folder);
    this.#file = openSync(join(this.#root, name), "wx", isExecutable ? 0o555 : 0o444);
    this.files.push(name);
  }

  /** @param {string} name */
  #makeFolder(name) {
    if (this.#folders.has(name)) return;
    const parent = dirname(name);
    if (parent !== ".") this.#makeFolder(parent);
    mkdirSync(join(this.#root, name), 0o755);
    this.#folders.add(name);
  }
}

/** @param {Buffer} block */
function readHeader(block) {
  let sum = 0;
  for (let at = 0; at < BLOCK_BYTES; at++) sum += at >= 148 && at < 156 ? 32 : (block[at] ?? 0);
  if (sum !== octal(block, 148, 8)) throw new FrameError("archive header has a wrong checksum");
  const prefix = textOf(block, 345, 155);
  const name = textOf(block, 0, 100);
  const isUstar = block.latin1Slice(257, 262) === "ustar";
  return {
    path: isUstar && prefix !== "" ? `${prefix}/${name}` : name,
    mode: octal(block, 100, 8),
    size: octal(block, 124, 12),
    type: String.fromCharCode(block[156] ?? 0),
  };
}

/** @param {Buffer} block @param {number} at @param {number} length */
function textOf(block, at, length) {
  const end = block.indexOf(0, at);
  return block.utf8Slice(at, end === -1 ? at + length : Math.min(end, at + length));
}

/** @param {Buffer} block @param {number} at @param {number} length */
function octal(block, at, length) {
  const text = textOf(block, at, length).trim();
  if (!/^[0-7]+$/.test(text)) throw new FrameError("archive header has a number that is not octal");
  return Number.parseInt(text, 8);
}

/** Records are `length key=value\n`. @param {string} text */
function paxPath(text) {
  const bytes = Buffer.from(text);
  let path = null;
  for (let at = 0; at < bytes.length; ) {
    const length = Number.parseInt(bytes.latin1Slice(at, at + 8), 10);
    const record = bytes.utf8Slice(at, at + length - 1);
    const [, key, value] = /^\d+ ([^=]+)=(.*)$/s.exec(record) ?? [];
    if (!(length > 0) || key === undefined || value === undefined)
      throw new FrameError("archive record is malformed");
    if (key === "path") path = value;
    at += length;
  }
  return path;
}

/** @param {string} path */
function checkedPath(path) {
  const name = path.endsWith("/") ? path.slice(0, -1) : path;
  const isPlain = name !== "" && name.length <= NAME_BYTES_MAX && !name.includes("\0");
  const parts = name.split("/");
  if (!isPlain || parts.some((part) => part === "" || part === "." || part === ".."))
    throw new FrameError(`archive path ${JSON.stringify(path.slice(0, 200))} is not allowed`);
  return name;
}
