import { AsyncLocalStorage } from "node:async_hooks";
import { isUtf8 } from "node:buffer";
import { Writable } from "node:stream";
import { Flag, LOG_LEVELS, LOG_TEXT_BYTES_MAX, Type } from "../../protocol/src/frames.mjs";
import { LogLine } from "./log-line.mjs";

const LINE_FEED = 10;
/** What may wait for a slow host; log text beyond it is dropped, and the next line that gets through tells how many frames. */
const BACKLOG_BYTES_MAX = 4 * 1_048_576;
const now = Date.now;

/** @param {(typeof LOG_LEVELS)[number]} level */
const levelFlags = (level) => LOG_LEVELS.indexOf(level) << 4;
/** Calls of the console, and the level their lines get; the others write through `log` or without a level. @type {[string, number][]} */
const consoleLevels = [
  ["trace", levelFlags("trace")],
  ["debug", levelFlags("debug")],
  ["log", levelFlags("info")],
  ["info", levelFlags("info")],
  ["warn", levelFlags("warn")],
  ["error", levelFlags("error")],
];

/**
 * What the code writes to stdout, stderr and the console goes to the host by lines, with the number of the invocation in whose
 * asynchronous context it was written.
 */
export class Logs {
  #writer;
  #session;
  /** The invocation that the code running now belongs to. @type {AsyncLocalStorage<import("./invocation.mjs").Invocation>} */
  context = new AsyncLocalStorage();
  lineBytesMax = 262_144;
  #level = 0;
  #droppedFrames = 0;
  /** Those with unfinished lines. @type {Set<import("./invocation.mjs").Invocation>} */
  #unfinished = new Set();
  /** The process is ending: nothing can wait any more. */
  #isEnding = false;
  /** Unfinished lines outside of any invocation: stdout, stderr. @type {LogLine[] | null} */
  #ownLines = null;
  #emitBound = (
    /** @type {number} */ flags,
    /** @type {number} */ stream,
    /** @type {Buffer} */ text,
  ) => this.emit(flags, stream, text);

  /** @param {import("./session.mjs").Session} session */
  constructor(session) {
    this.#writer = session.writer;
    // Which may be opened later.
    this.#session = session;
  }

  /** Replaces the two streams of the process and gives the console levels. */
  install() {
    const stdout = this.#stream(0, 1);
    const stderr = this.#stream(Flag.STDERR, 2);
    const shared = { configurable: true, enumerable: true };
    Object.defineProperty(process, "stdout", { ...shared, get: () => stdout });
    Object.defineProperty(process, "stderr", { ...shared, get: () => stderr });
    const methods = /** @type {Record<string, Function>} */ (/** @type {unknown} */ (console));
    for (const [name, flags] of consoleLevels) methods[name] = this.#levelled(methods[name], flags);
  }

  /** One frame. @param {number} flags @param {number} stream @param {Buffer} text */
  emit(flags, stream, text) {
    if (this.#session.control.backlogBytes() > BACKLOG_BYTES_MAX) {
      this.#droppedFrames += 1;
      return;
    }
    if (this.#droppedFrames > 0) this.#tellDropped(stream);
    const payload = Buffer.allocUnsafe(8 + text.length);
    payload.writeDoubleLE(now());
    payload.set(text, 8);
    this.#writer.frame(Type.LOG, flags, stream, payload);
    if (this.#isEnding) this.#flushSync();
  }

  /** The process is ending: sends everything before it returns, and from now on every line at once (other exit listeners may log). */
  endAll() {
    this.endLines(null);
    for (const invocation of this.#unfinished) this.endLines(invocation);
    this.#isEnding = true;
    this.#flushSync();
  }

  #flushSync() {
    this.#writer.flush();
    this.#session.control.flushSync();
  }

  /** A line of the runtime itself. @param {(typeof LOG_LEVELS)[number]} level @param {number} stream @param {string} text */
  say(level, stream, text) {
    for (const line of text.split("\n")) {
      const bytes = Buffer.from(line).subarray(0, LOG_TEXT_BYTES_MAX);
      this.emit(levelFlags(level) | Flag.STDERR, stream, bytes);
    }
  }

  /** Sends the unfinished lines of an invocation, or with null those outside of any. @param {import("./invocation.mjs").Invocation | null} invocation */
  endLines(invocation) {
    const lines = invocation === null ? this.#ownLines : invocation.logLines;
    for (const line of lines ?? []) if (!line.isEmpty) line.end();
    if (invocation === null) return;
    invocation.logLines = null;
    this.#unfinished.delete(invocation);
  }

  /** @param {number} flags @param {string | Uint8Array} text */
  #write(flags, text) {
    const invocation = this.context.getStore();
    const stream = invocation === undefined ? 0 : invocation.stream;
    const bytes =
      typeof text === "string"
        ? Buffer.from(text)
        : Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    let at = 0;
    for (;;) {
      const feed = bytes.indexOf(LINE_FEED, at);
      if (feed === -1) break;
      this.#wholeLine(flags, stream, invocation, bytes.subarray(at, feed));
      at = feed + 1;
    }
    if (at < bytes.length) this.#line(flags, stream, invocation).add(flags, bytes.subarray(at));
    if (this.#isEnding || invocation?.isDone) this.endLines(invocation ?? null);
  }

  /** @param {number} flags @param {number} stream @param {import("./invocation.mjs").Invocation | undefined} invocation @param {Buffer} text */
  #wholeLine(flags, stream, invocation, text) {
    const lines = invocation === undefined ? this.#ownLines : invocation.logLines;
    const isStarted = lines !== null && lines[flags & Flag.STDERR]?.isEmpty === false;
    const isShort = text.length <= LOG_TEXT_BYTES_MAX && text.length <= this.lineBytesMax;
    if (!isStarted && isShort && isUtf8(text)) return this.emit(flags, stream, text);
    const line = this.#line(flags, stream, invocation);
    line.add(flags, text);
    line.end(flags);
  }

  /** @param {number} flags @param {number} stream @param {import("./invocation.mjs").Invocation | undefined} invocation */
  #line(flags, stream, invocation) {
    const lines = (invocation === undefined ? this.#ownLines : invocation.logLines) ?? [
      new LogLine(this.lineBytesMax, this.#emitBound, stream),
      new LogLine(this.lineBytesMax, this.#emitBound, stream),
    ];
    if (invocation === undefined) this.#ownLines = lines;
    else {
      invocation.logLines = lines;
      this.#unfinished.add(invocation);
    }
    return /** @type {LogLine} */ (lines[flags & Flag.STDERR]);
  }

  /** @param {number} stream */
  #tellDropped(stream) {
    const dropped = this.#droppedFrames;
    this.#droppedFrames = 0;
    this.say(
      "warn",
      stream,
      `${dropped} log lines were dropped: written faster than they are read`,
    );
  }

  /** @param {number} fileFlag @param {number} fd */
  #stream(fileFlag, fd) {
    const logs = this;
    const stream = new Writable({
      decodeStrings: false,
      write(chunk, encoding, done) {
        const isText = typeof chunk === "string" && (encoding === "utf8" || encoding === "utf-8");
        const bytes = typeof chunk === "string" && !isText ? Buffer.from(chunk, encoding) : chunk;
        logs.#write(fileFlag | logs.#level, bytes);
        done();
      },
      // As with Node's own: nobody ends these.
      destroy(_error, done) {
        done(null);
      },
    });
    return Object.assign(stream, { fd });
  }

  /** @param {Function | undefined} original @param {number} flags */
  #levelled(original, flags) {
    const logs = this;
    return function levelled(/** @type {unknown[]} */ ...args) {
      if (original === undefined) return;
      const outer = logs.#level;
      // A method of the console that calls another (trace calls error) keeps its own level.
      if (outer === 0) logs.#level = flags;
      try {
        Reflect.apply(original, console, args);
      } finally {
        logs.#level = outer;
      }
    };
  }
}
