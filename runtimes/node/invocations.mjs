import { Flag, FrameError, Type } from "../../protocol/src/frames.mjs";
import { Deadlines } from "./deadlines.mjs";
import { Invocation } from "./invocation.mjs";
import { Rest } from "./rest.mjs";

const FIXED_LINES = 9;

/** How a kind of function (`fetch`, `lambda` ...) takes invocations. What a method throws is a defect of ours. @typedef {object} Kind
 * @property {string} name
 * @property {boolean} buffered
 * @property {(invocation: Invocation) => void} start the head has come
 * @property {(invocation: Invocation, bytes: Buffer, isEnd: boolean) => void} onBody request bytes; a view that must be copied to be kept
 * @property {(invocation: Invocation) => void} onCancel `cancelReason` is set
 */

/** The invocations in progress, by stream number. */
export class Invocations {
  /** @type {Map<number, Invocation>} */
  open = new Map();
  deadlines = new Deadlines();
  #lastStream = 0;
  #concurrency;
  #kind;
  #logs;
  #rest = new Rest({ callCount: () => this.#lastStream, isIdle: () => this.open.size === 0 });
  /** Called when the last open one has ended. @type {(() => void) | null} */
  onIdle = null;

  /**
   * @param {import("../../protocol/src/frames.mjs").FrameWriter} writer @param {import("./logs.mjs").Logs} logs
   * @param {Kind} kind @param {number} concurrency
   */
  constructor(writer, logs, kind, concurrency) {
    this.writer = writer;
    this.#logs = logs;
    this.#kind = kind;
    this.#concurrency = concurrency;
  }

  /** @param {number} flags @param {number} stream @param {Buffer} buffer @param {number} start @param {number} end */
  onInvoke(flags, stream, buffer, start, end) {
    if (stream !== this.#lastStream + 1)
      throw new FrameError(`invocation ${stream} after ${this.#lastStream}`);
    if (this.open.size >= this.#concurrency)
      throw new FrameError(`invocation ${stream} exceeds the concurrency of ${this.#concurrency}`);
    const lines = buffer.latin1Slice(start + 12, end).split("\n");
    if (lines.length < FIXED_LINES || (lines.length - FIXED_LINES) % 2 !== 0)
      throw new FrameError(`head of invocation ${stream} has ${lines.length} lines`);
    this.#lastStream = stream;
    const invocation = new Invocation(this, stream, {
      timeoutMs: buffer.readUInt32LE(start),
      lines,
      isEvent: (flags & Flag.EVENT) !== 0,
    });
    invocation.isRequestEnded = (flags & Flag.END) !== 0;
    this.open.set(stream, invocation);
    this.#kind.start(invocation);
  }

  /** BODY, CREDIT or CANCEL. @param {number} type @param {number} flags @param {number} stream @param {Buffer} payload */
  onStreamFrame(type, flags, stream, payload) {
    const invocation = this.open.get(stream);
    if (invocation === undefined) {
      if (stream > this.#lastStream)
        throw new FrameError(`frame on stream ${stream}, never opened`);
      return;
    }
    if (type === Type.CREDIT) return invocation.credit(payload.readUInt32LE());
    if (type === Type.CANCEL) {
      invocation.cancel(payload.toString());
      this.#kind.onCancel(invocation);
      if (invocation.isSettled) invocation.fail("cancelled", null);
      return;
    }
    const isEnd = (flags & Flag.END) !== 0;
    invocation.received(payload.length, isEnd);
    this.#kind.onBody(invocation, payload, isEnd);
  }

  /** Takes it out, right before its last frame is written. @param {Invocation} invocation */
  close(invocation) {
    if (invocation.logLines !== null) this.#logs.endLines(invocation);
    this.open.delete(invocation.stream);
    invocation.release();
    if (this.open.size > 0) return;
    this.#rest.begin();
    if (this.onIdle !== null) setImmediate(this.onIdle);
  }
}
