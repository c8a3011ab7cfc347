// The codec of ../README.md. Plain JavaScript without imports: the host and the Node runtime load this same file.

export const PROTOCOL_VERSION = 1;
export const HEADER_BYTES = 12;
export const PAYLOAD_BYTES_MAX = 65_536;
export const WINDOW_BYTES = 262_144;
export const CREDIT_BYTES_MAX = 2 ** 31 - 1;
/** Log text carried by one frame; a longer line goes in `PARTIAL` pieces. */
export const LOG_TEXT_BYTES_MAX = 65_000;

export const Type = /** @type {const} */ ({
  HELLO: 0x01,
  INIT: 0x02,
  CODE: 0x03,
  READY: 0x04,
  INVOKE: 0x10,
  BODY: 0x11,
  HEAD: 0x12,
  ERROR: 0x13,
  CANCEL: 0x14,
  CREDIT: 0x15,
  LOG: 0x20,
  PING: 0x21,
  PONG: 0x22,
  SHUTDOWN: 0x23,
});

export const Flag = /** @type {const} */ ({
  END: 0x01,
  EVENT: 0x02,
  STDERR: 0x01,
  PARTIAL: 0x02,
  TRUNCATED: 0x04,
});
export const LOG_LEVELS = /** @type {const} */ ([
  "none",
  "trace",
  "debug",
  "info",
  "warn",
  "error",
  "fatal",
]);

const FROM_HOST = 1;
const FROM_SANDBOX = 2;
const ON_CONNECTION = 1;
const ON_STREAM = 2;

/**
 * What each type may look like: who sends it, on which streams, which flag bits, how many payload bytes at least (and at most,
 * where the payload has one size).
 * @type {Record<number, {from: number, on: number, flags: number, least: number, most?: number}>}
 */
const rules = {
  [Type.HELLO]: { from: FROM_SANDBOX, on: ON_CONNECTION, flags: 0, least: 2 },
  [Type.INIT]: { from: FROM_HOST, on: ON_CONNECTION, flags: 0, least: 2 },
  [Type.CODE]: { from: FROM_HOST, on: ON_CONNECTION, flags: Flag.END, least: 0 },
  [Type.READY]: { from: FROM_SANDBOX, on: ON_CONNECTION, flags: 0, least: 2 },
  [Type.INVOKE]: { from: FROM_HOST, on: ON_STREAM, flags: Flag.END | Flag.EVENT, least: 12 },
  [Type.BODY]: { from: FROM_HOST | FROM_SANDBOX, on: ON_STREAM, flags: Flag.END, least: 0 },
  [Type.HEAD]: { from: FROM_SANDBOX, on: ON_STREAM, flags: Flag.END, least: 3 },
  [Type.ERROR]: { from: FROM_SANDBOX, on: ON_CONNECTION | ON_STREAM, flags: 0, least: 2 },
  [Type.CANCEL]: { from: FROM_HOST, on: ON_STREAM, flags: 0, least: 0 },
  [Type.CREDIT]: { from: FROM_HOST | FROM_SANDBOX, on: ON_STREAM, flags: 0, least: 4, most: 4 },
  [Type.LOG]: { from: FROM_SANDBOX, on: ON_CONNECTION | ON_STREAM, flags: 0x77, least: 8 },
  [Type.PING]: { from: FROM_HOST, on: ON_CONNECTION, flags: 0, least: 8, most: 8 },
  [Type.PONG]: { from: FROM_SANDBOX, on: ON_CONNECTION, flags: 0, least: 32, most: 32 },
  [Type.SHUTDOWN]: { from: FROM_HOST, on: ON_CONNECTION, flags: 0, least: 4, most: 4 },
};

/** A breach of the protocol: the connection ends with this reason. */
export class FrameError extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(reason);
    this.name = "FrameError";
  }
}

/** @param {string} side @param {number} type @param {number} flags @param {number} stream @param {number} length @param {number} reserved */
function checkHeader(side, type, flags, stream, length, reserved) {
  const rule = rules[type];
  const hex = `0x${type.toString(16).padStart(2, "0")}`;
  if (rule === undefined) throw new FrameError(`unknown frame type ${hex}`);
  if ((rule.from & (side === "host" ? FROM_SANDBOX : FROM_HOST)) === 0)
    throw new FrameError(`frame type ${hex} is not for this direction`);
  if (length > PAYLOAD_BYTES_MAX)
    throw new FrameError(`frame of ${length} bytes exceeds ${PAYLOAD_BYTES_MAX}`);
  if (length < rule.least)
    throw new FrameError(`frame type ${hex} needs ${rule.least} bytes, has ${length}`);
  if (rule.most !== undefined && length > rule.most)
    throw new FrameError(`frame type ${hex} needs ${rule.most} bytes, has ${length}`);
  if ((flags & ~rule.flags) !== 0)
    throw new FrameError(`frame type ${hex} has unknown flags ${flags}`);
  if (type === Type.LOG && flags >>> 4 >= LOG_LEVELS.length)
    throw new FrameError(`unknown log level ${flags >>> 4}`);
  if (reserved !== 0) throw new FrameError("reserved bits are not zero");
  if ((rule.on & (stream === 0 ? ON_CONNECTION : ON_STREAM)) === 0)
    throw new FrameError(`frame type ${hex} is not allowed on stream ${stream}`);
}

/**
 * Cuts a byte stream into frames. `side` is the reader's own side. The payload handed on is `buffer[start..end)`, a view of received
 * memory: it stays valid, and must not be written to.
 */
export class FrameReader {
  /** @type {Buffer | null} */
  #rest = null;
  #failed = false;
  #side;
  #onFrame;

  /**
   * @param {"host" | "sandbox"} side
   * @param {(type: number, flags: number, stream: number, buffer: Buffer, start: number, end: number) => void} onFrame
   */
  constructor(side, onFrame) {
    this.#side = side;
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes. Throws `FrameError` on a breach (also one raised by `onFrame`); then no later call reads anything. @param {Buffer} chunk */
  push(chunk) {
    if (this.#failed) return;
    const buffer = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    let at = 0;
    try {
      while (buffer.length - at >= HEADER_BYTES) {
        const length =
          (buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24)) >>>
          0;
        const type = buffer[at + 4];
        const flags = buffer[at + 5];
        const reserved = buffer[at + 6] | (buffer[at + 7] << 8);
        const stream =
          (buffer[at + 8] |
            (buffer[at + 9] << 8) |
            (buffer[at + 10] << 16) |
            (buffer[at + 11] << 24)) >>>
          0;
        checkHeader(this.#side, type, flags, stream, length, reserved);
        const start = at + HEADER_BYTES;
        if (buffer.length - start < length) break;
        at = start + length;
        this.#onFrame(type, flags, stream, buffer, start, at);
      }
    } catch (error) {
      this.#failed = true;
      throw error;
    }
    if (at < buffer.length) this.#rest = at === 0 ? buffer : buffer.subarray(at);
  }

  /** Bytes of an unfinished frame; at the end of the stream more than 0 means it was cut. */
  get pendingBytes() {
    return this.#rest === null ? 0 : this.#rest.length;
  }
}

const SLAB_BYTES = 65_536;

/**
 * Encodes frames into slabs and hands them to `send` once per event-loop turn (`schedule`), or at once when a slab is full.
 * The handed buffer belongs to the receiver.
 */
export class FrameWriter {
  /** @type {Buffer} */
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #start = 0;
  #at = 0;
  #scheduled = false;
  #send;
  #schedule;
  #flushBound = () => this.flush();

  /** @param {(bytes: Buffer) => void} send @param {(task: () => void) => unknown} [schedule] */
  constructor(send, schedule = setImmediate) {
    this.#send = send;
    this.#schedule = schedule;
  }

  /** @param {number} type @param {number} flags @param {number} stream @param {Uint8Array} [payload] at most `PAYLOAD_BYTES_MAX` bytes */
  frame(type, flags, stream, payload) {
    const length = payload === undefined ? 0 : payload.length;
    const at = this.#begin(type, flags, stream, length);
    if (payload !== undefined) this.#slab.set(payload, at);
  }

  /** A frame whose payload is ISO-8859-1 text. @param {number} type @param {number} flags @param {number} stream @param {string} text */
  text(type, flags, stream, text) {
    const at = this.#begin(type, flags, stream, text.length);
    this.#slab.latin1Write(text, at, text.length);
  }

  /** A frame whose payload is JSON. @param {number} type @param {number} stream @param {unknown} value */
  json(type, stream, value) {
    this.frame(type, 0, stream, Buffer.from(JSON.stringify(value)));
  }

  /** @param {number} stream @param {number} bytes */
  credit(stream, bytes) {
    const at = this.#begin(Type.CREDIT, 0, stream, 4);
    this.#slab.writeUInt32LE(bytes, at);
  }

  /** The head of an invocation. @param {number} flags @param {number} stream @param {number} timeoutMs @param {number} deadlineMs @param {string} text */
  invoke(flags, stream, timeoutMs, deadlineMs, text) {
    const at = this.#begin(Type.INVOKE, flags, stream, 12 + text.length);
    this.#slab.writeUInt32LE(timeoutMs, at);
    this.#slab.writeDoubleLE(deadlineMs, at + 4);
    this.#slab.latin1Write(text, at + 12, text.length);
  }

  /** A body of any size, cut into frames. @param {number} flags on the last frame @param {number} stream @param {Uint8Array} bytes */
  body(flags, stream, bytes) {
    let at = 0;
    while (bytes.length - at > PAYLOAD_BYTES_MAX) {
      this.frame(Type.BODY, 0, stream, bytes.subarray(at, at + PAYLOAD_BYTES_MAX));
      at += PAYLOAD_BYTES_MAX;
    }
    this.frame(Type.BODY, flags, stream, at === 0 ? bytes : bytes.subarray(at));
  }

  /** Sends what has been written so far. */
  flush() {
    this.#scheduled = false;
    if (this.#at === this.#start) return;
    const bytes = this.#slab.subarray(this.#start, this.#at);
    this.#start = this.#at;
    this.#send(bytes);
  }

  /** Writes a header, makes room for the payload, and returns where the payload goes. @param {number} type @param {number} flags @param {number} stream @param {number} length */
  #begin(type, flags, stream, length) {
    if (length > PAYLOAD_BYTES_MAX)
      throw new FrameError(`frame of ${length} bytes exceeds ${PAYLOAD_BYTES_MAX}`);
    const needed = HEADER_BYTES + length;
    if (this.#slab.length - this.#at < needed) {
      this.flush();
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, needed));
      this.#start = this.#at = 0;
    }
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#schedule(this.#flushBound);
    }
    const slab = this.#slab;
    let at = this.#at;
    slab[at++] = length & 0xff;
    slab[at++] = (length >>> 8) & 0xff;
    slab[at++] = (length >>> 16) & 0xff;
    slab[at++] = 0;
    slab[at++] = type;
    slab[at++] = flags;
    slab[at++] = 0;
    slab[at++] = 0;
    slab[at++] = stream & 0xff;
    slab[at++] = (stream >>> 8) & 0xff;
    slab[at++] = (stream >>> 16) & 0xff;
    slab[at++] = stream >>> 24;
    this.#at = at + length;
    return at;
  }
}
