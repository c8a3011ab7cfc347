import {
  CREDIT_BYTES_MAX,
  Flag,
  FrameError,
  Type,
  WINDOW_BYTES,
} from "../../protocol/src/frames.mjs";
import { failurePayload } from "./failure.mjs";

const CREDIT_STEP_BYTES = WINDOW_BYTES / 4;
const NO_BYTES = Buffer.alloc(0);
const monotonicMs = performance.now.bind(performance);

/**
 * One invocation: receiving -> answering -> done. Also the value of the asynchronous context in which its handler runs, so it stays
 * reachable after its end and then holds nothing large. Whatever is sent after its end is dropped.
 */
export class Invocation {
  #invocations;
  #receiveWindow = WINDOW_BYTES;
  #owedBytes = 0;
  #sendWindow = WINDOW_BYTES;
  /** Response bytes that wait for credit. @type {Uint8Array | null} */
  #rest = null;
  #restFlags = 0;
  /** @type {(() => void) | null} */
  #onSent = null;
  /** Request bytes come to an end with the one that sets this. */
  isRequestEnded = false;
  isDone = false;
  hasHead = false;
  /** The handler has returned; what is left is to send the response. */
  isSettled = false;
  /** @type {string | null} */
  cancelReason = null;
  /** Whatever the kind keeps for it; its `release`, where it has one, is called at the end. @type {any} */
  work = null;
  /** Reads the body of the response under way. @type {ReadableStreamDefaultReader<Uint8Array> | null} */
  reader = null;
  /** Unfinished log lines, kept by `logs.mjs`. @type {import("./log-line.mjs").LogLine[] | null} */
  logLines = null;
  /** Created on first use. @type {AbortController | null} */
  abort = null;

  /**
   * @param {import("./invocations.mjs").Invocations} invocations @param {number} stream
   * @param {{timeoutMs: number, lines: string[], isEvent: boolean}} head `lines` as in the protocol
   */
  constructor(invocations, stream, head) {
    this.#invocations = invocations;
    this.stream = stream;
    this.endsAtMs = monotonicMs() + head.timeoutMs;
    this.lines = head.lines;
    this.isEvent = head.isEvent;
  }

  remainingMs() {
    return Math.max(0, this.endsAtMs - monotonicMs());
  }

  /** Aborts on CANCEL and at the deadline. */
  get signal() {
    if (this.abort === null) {
      this.abort = new AbortController();
      if (this.cancelReason !== null) this.abort.abort(abortError(this.cancelReason));
      else if (!this.isDone) this.#invocations.deadlines.watch(this);
    }
    return this.abort.signal;
  }

  /** Takes request bytes from the window. @param {number} bytes @param {boolean} isEnd */
  received(bytes, isEnd) {
    if (this.isRequestEnded) throw new FrameError(`body after its end on stream ${this.stream}`);
    if (bytes > this.#receiveWindow)
      throw new FrameError(`body beyond the window on stream ${this.stream}`);
    this.#receiveWindow -= bytes;
    this.isRequestEnded = isEnd;
  }

  /** Request bytes were used up: the host may send as many more. @param {number} bytes */
  consumed(bytes) {
    this.#owedBytes += bytes;
    if (this.#owedBytes < CREDIT_STEP_BYTES || this.isRequestEnded || this.isDone) return;
    this.#invocations.writer.credit(this.stream, this.#owedBytes);
    this.#receiveWindow += this.#owedBytes;
    this.#owedBytes = 0;
  }

  /** @param {string} text @param {boolean} isEnd */
  head(text, isEnd) {
    if (this.isDone) return;
    this.hasHead = true;
    if (isEnd) this.#invocations.close(this);
    this.#invocations.writer.text(Type.HEAD, isEnd ? Flag.END : 0, this.stream, text);
  }

  /**
   * Sends response bytes as far as credit goes. False: the rest follows later and then `onSent` is called; no other call until then.
   * @param {Uint8Array} bytes @param {boolean} isEnd @param {(() => void) | null} onSent
   */
  write(bytes, isEnd, onSent) {
    if (this.isDone) return true;
    const now = Math.min(bytes.length, this.#sendWindow);
    this.#sendWindow -= now;
    const { writer } = this.#invocations;
    if (now === bytes.length) {
      if (isEnd) this.#invocations.close(this);
      if (now > 0 || isEnd) writer.body(isEnd ? Flag.END : 0, this.stream, bytes);
      return true;
    }
    if (now > 0) writer.body(0, this.stream, bytes.subarray(0, now));
    this.#rest = bytes.subarray(now);
    this.#restFlags = isEnd ? Flag.END : 0;
    this.#onSent = onSent;
    return false;
  }

  /** Ends the response without further bytes. */
  end() {
    this.write(NO_BYTES, true, null);
  }

  /** Credit from the host. @param {number} bytes */
  credit(bytes) {
    this.#sendWindow += bytes;
    if (this.#sendWindow > CREDIT_BYTES_MAX)
      throw new FrameError(`window above ${CREDIT_BYTES_MAX} on stream ${this.stream}`);
    const rest = this.#rest;
    if (rest === null) return;
    const onSent = this.#onSent;
    this.#rest = this.#onSent = null;
    if (this.write(rest, this.#restFlags !== 0, onSent)) onSent?.();
  }

  /** @param {string} code @param {unknown} thrown */
  fail(code, thrown) {
    if (this.isDone) return;
    const isCancelled = this.cancelReason !== null;
    const payload = isCancelled
      ? failurePayload("cancelled", abortError(this.cancelReason))
      : failurePayload(code, thrown);
    this.#invocations.close(this);
    this.#invocations.writer.frame(Type.ERROR, 0, this.stream, payload);
  }

  /** A handler that runs is told, and answered for once it has settled. @param {string} reason */
  cancel(reason) {
    if (this.cancelReason !== null) return;
    this.cancelReason = reason;
    this.abort?.abort(abortError(reason));
  }

  /** Lets go of everything large; called once, by `Invocations.close`. */
  release() {
    const onSent = this.#onSent;
    const { work } = this;
    this.isDone = true;
    if (this.abort !== null) this.#invocations.deadlines.unwatch(this);
    this.#rest = this.#onSent = null;
    this.lines = [];
    this.reader = null;
    this.work = null;
    work?.release?.();
    onSent?.();
  }
}

/** @param {string | null} reason */
export function abortError(reason) {
  return new DOMException(`the invocation was cancelled: ${reason}`, "AbortError");
}
