import { writeSync } from "node:fs";
import { Socket } from "node:net";

const READ_BYTES = 65_536;
const READ_BYTES_LEAST = 16_384;

/**
 * Receives what arrives on a control stream.
 * @typedef {object} ControlReader
 * @property {(chunk: Buffer) => void} onBytes the chunk stays as it is for ever
 * @property {(reason: string) => void} onClosed once, when nothing more will come
 */

/**
 * The byte stream to the host. Open until the host closes it or the process ends.
 * @typedef {object} Control
 * @property {(bytes: Buffer) => void} write takes ownership of the bytes
 * @property {() => number} backlogBytes written and not yet taken by the kernel
 * @property {(done: () => void) => void} drained calls back once everything written so far is in the kernel's hands, or never will be
 * @property {() => void} flushSync the same, blocking; for the last moments of the process
 * @property {() => void} release lets the process end although the stream is open
 */

/** Opens `fd:3`, `stdio`, `unix:/path` or `file:/dev/x`. @param {string | undefined} where @param {ControlReader} reader @returns {Promise<Control>} */
export async function openControl(where, reader) {
  if (where === "stdio") {
    const { takeStdio } = await import("./control-stdio.mjs");
    const { input, output } = takeStdio();
    return pipeControl(input, output, reader);
  }
  const [, scheme, rest] = /^(fd|unix|file):(.+)$/.exec(where ?? "") ?? [];
  if (rest === undefined)
    throw new Error(`ISOLA_CONTROL must be fd:N, stdio, unix:/path or file:/path, not ${where}`);
  if (scheme === "file") {
    const { openControlFile } = await import("./control-file.mjs");
    return openControlFile(rest, reader);
  }
  if (scheme === "fd") return socketControl({ fd: Number(rest) }, reader);
  const control = socketControl({}, reader);
  await control.connect(rest);
  return control;
}

/** Memory to read into: each read gets a part that no other read gets, so that frames need not be copied. */
function readBuffers() {
  let slab = Buffer.allocUnsafeSlow(READ_BYTES);
  let at = 0;
  return {
    next() {
      if (slab.length - at < READ_BYTES_LEAST) {
        slab = Buffer.allocUnsafeSlow(READ_BYTES);
        at = 0;
      }
      return at === 0 ? slab : slab.subarray(at);
    },
    /** @param {number} bytes */
    taken(bytes) {
      const chunk = slab.subarray(at, at + bytes);
      at += bytes;
      return chunk;
    },
  };
}

/** @param {{fd?: number}} options @param {ControlReader} reader */
function socketControl(options, reader) {
  const socket = readingSocket({ ...options, writable: true }, reader);
  return new SocketControl(socket, socket);
}

/** One way each. @param {number} input @param {number} output @param {ControlReader} reader */
function pipeControl(input, output, reader) {
  const source = readingSocket({ fd: input, writable: false }, reader);
  const sink = new Socket({ fd: output, readable: false, writable: true });
  sink.on("error", (error) => reader.onClosed(error.message));
  return new SocketControl(sink, source);
}

/** @param {{fd?: number, writable: boolean}} options @param {ControlReader} reader */
function readingSocket(options, reader) {
  const buffers = readBuffers();
  const socket = new Socket({
    ...options,
    readable: true,
    onread: {
      buffer: buffers.next,
      callback(/** @type {number} */ bytes) {
        reader.onBytes(buffers.taken(bytes));
        return true;
      },
    },
  });
  socket.on("end", () => reader.onClosed("end"));
  socket.on("error", (error) => reader.onClosed(error.message));
  socket.on("close", () => reader.onClosed("close"));
  if (options.fd !== undefined) socket.resume();
  return socket;
}

/** @implements {Control} */
class SocketControl {
  #socket;
  #source;
  /** What the kernel has not taken yet: the first is in the socket's hands, the others wait. @type {Buffer[]} */
  #queue = [];
  #queuedBytes = 0;
  /** @type {(() => void)[]} */
  #waiting = [];
  #onSentBound = () => this.#onSent();

  /** @param {Socket} socket what is written to @param {Socket} source what is read, which may be the same */
  constructor(socket, source) {
    this.#socket = socket;
    this.#source = source;
  }

  /** @param {Buffer} bytes */
  write(bytes) {
    if (this.#queue.length === 0 && this.#isTaken(bytes)) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  backlogBytes() {
    return this.#queuedBytes;
  }

  /** @param {() => void} done */
  drained(done) {
    if (this.#queue.length === 0 || this.#socket.destroyed) done();
    else this.#waiting.push(done);
  }

  flushSync() {
    // Node has no public way to learn how much of a write is still to be done; without it the rest cannot be sent in order.
    const handle = /** @type {any} */ (this.#socket)._handle;
    const first = this.#queue.shift();
    if (first === undefined || typeof handle?.writeQueueSize !== "number") return;
    writeAllSync(handle.fd, first.subarray(first.length - handle.writeQueueSize));
    for (const bytes of this.#queue) writeAllSync(handle.fd, bytes);
  }

  release() {
    this.#socket.unref();
    this.#source.unref();
  }

  /** @param {string} path */
  connect(path) {
    return new Promise((resolve, reject) => {
      this.#socket.once("error", reject);
      this.#socket.connect(path, () => resolve(undefined));
    });
  }

  /** True: the kernel took it all at once, which is nearly always so. @param {Buffer} bytes */
  #isTaken(bytes) {
    this.#socket.write(bytes);
    if (this.#socket.writableLength === 0) return true;
    this.#socket.write("", this.#onSentBound);
    return false;
  }

  #onSent() {
    do {
      this.#queuedBytes -= this.#queue.shift()?.length ?? 0;
    } while (this.#queue[0] !== undefined && this.#isTaken(this.#queue[0]));
    if (this.#queue.length > 0) return;
    for (const done of this.#waiting.splice(0)) done();
  }
}

const SYNC_TRIES_MAX = 1000;

/** Gives up after about a second of a host that does not read. @param {number} fd @param {Buffer} bytes */
export function writeAllSync(fd, bytes) {
  let at = 0;
  for (let tries = 0; at < bytes.length && tries < SYNC_TRIES_MAX; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EAGAIN") return;
      tries += 1;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
