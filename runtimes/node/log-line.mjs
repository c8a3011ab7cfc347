import { isUtf8 } from "node:buffer";
import { Flag, LOG_TEXT_BYTES_MAX } from "../../protocol/src/frames.mjs";

const NO_BYTES = Buffer.alloc(0);

/**
 * One unfinished line of one file of one invocation. Holds at most one piece (`LOG_TEXT_BYTES_MAX`): as soon as there is more, the piece
 * goes out as `PARTIAL`. Above the limit of a line the rest is dropped, and the last piece says `TRUNCATED`.
 */
export class LogLine {
  #held = NO_BYTES;
  #heldFlags = 0;
  #sentBytes = 0;
  #isCut = false;
  isEmpty = true;

  /**
   * @param {number} bytesMax of a line
   * @param {(flags: number, stream: number, text: Buffer) => void} emit @param {number} stream
   */
  constructor(bytesMax, emit, stream) {
    this.bytesMax = bytesMax;
    this.emit = emit;
    this.stream = stream;
  }

  /** More text of the line, without line feeds. @param {number} flags of its file and level @param {Buffer} text */
  add(flags, text) {
    this.isEmpty = false;
    this.#heldFlags = flags;
    const room = this.bytesMax - this.#sentBytes - this.#held.length;
    if (text.length > room) this.#isCut = true;
    const kept = text.length > room ? text.subarray(0, wholeChars(text, Math.max(0, room))) : text;
    this.#held = this.#held.length === 0 ? Buffer.from(kept) : Buffer.concat([this.#held, kept]);
    while (this.#held.length > LOG_TEXT_BYTES_MAX) {
      const length = wholeChars(this.#held, LOG_TEXT_BYTES_MAX);
      this.emit(flags | Flag.PARTIAL, this.stream, clean(this.#held.subarray(0, length)));
      this.#sentBytes += length;
      this.#held = this.#held.subarray(length);
    }
  }

  /** The line is over. @param {number} [flags] */
  end(flags = this.#heldFlags) {
    const cut = this.#isCut ? Flag.TRUNCATED : 0;
    this.emit(flags | cut, this.stream, clean(this.#held));
    this.#held = NO_BYTES;
    this.#sentBytes = 0;
    this.#isCut = false;
    this.isEmpty = true;
  }
}

/** The greatest length up to `length` that does not cut a UTF-8 character. @param {Buffer} text @param {number} length */
function wholeChars(text, length) {
  let at = length;
  while (at > length - 4 && at > 0 && ((text[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at > 0 ? at : length;
}

/** Bytes that are not UTF-8 are replaced as decoders do. @param {Buffer} text */
function clean(text) {
  if (isUtf8(text)) return text;
  const replaced = Buffer.from(text.toString());
  return replaced.subarray(0, wholeChars(replaced, Math.min(replaced.length, LOG_TEXT_BYTES_MAX)));
}
