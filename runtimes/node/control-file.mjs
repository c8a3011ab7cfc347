import { close, openSync, read, write } from "node:fs";
import { writeAllSync } from "./control.mjs";

const READ_BYTES = 65_536;

/**
 * A character device as control stream: what a virtio serial port is inside a virtual machine. It must pass bytes unchanged (raw mode).
 * @param {string} path @param {import("./control.mjs").ControlReader} reader @returns {import("./control.mjs").Control}
 */
export function openControlFile(path, reader) {
  const fd = openSync(path, "r+");
  const control = new FileControl(fd);
  const next = () => {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    read(fd, buffer, 0, READ_BYTES, null, (error, bytes) => {
      if (error === null && bytes > 0) {
        reader.onBytes(buffer.subarray(0, bytes));
        return next();
      }
      close(fd, () => reader.onClosed(error === null ? "end" : error.message));
    });
  };
  next();
  return control;
}

/** @implements {import("./control.mjs").Control} */
class FileControl {
  #fd;
  /** The first is being written. @type {Buffer[]} */
  #queue = [];
  #queuedBytes = 0;
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {number} fd */
  constructor(fd) {
    this.#fd = fd;
  }

  /** @param {Buffer} bytes */
  write(bytes) {
    this.#queuedBytes += bytes.length;
    if (this.#queue.push(bytes) === 1) this.#next();
  }

  backlogBytes() {
    return this.#queuedBytes;
  }

  /** @param {() => void} done */
  drained(done) {
    if (this.#queue.length === 0) done();
    else this.#waiting.push(done);
  }

  /** What the thread pool is writing at this moment is finished there before the process ends. */
  flushSync() {
    for (const bytes of this.#queue.slice(1)) writeAllSync(this.#fd, bytes);
  }

  /** A pending read holds the process: it ends by `process.exit`. */
  release() {}

  #next() {
    const bytes = this.#queue[0];
    if (bytes === undefined) {
      for (const done of this.#waiting.splice(0)) done();
      return;
    }
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error !== null) return this.#drop();
      this.#queuedBytes -= written;
      if (written < bytes.length) this.#queue[0] = bytes.subarray(written);
      else this.#queue.shift();
      this.#next();
    });
  }

  /** The host is gone: the reading side says so, and nothing will be sent any more. */
  #drop() {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#next();
  }
}
