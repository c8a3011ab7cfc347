import { abortError } from "./invocation.mjs";

/**
 * The body of a request as a web stream. Chunks wait here (at most the window of the protocol) until they are read; only then the host
 * gets its credit back. Each chunk is memory of its own: the reader may keep, change or transfer it.
 * @param {import("./invocation.mjs").Invocation} invocation
 */
export function requestStream(invocation) {
  /** @type {Uint8Array[]} */
  const waiting = [];
  /** @type {(() => void) | null} */
  let wake = null;
  let isDropped = false;
  /** @type {ReadableStreamDefaultController<Uint8Array>} */
  let controller;
  const pull = async () => {
    if (waiting.length === 0 && !invocation.isRequestEnded)
      await new Promise((resolve) => {
        wake = () => resolve(undefined);
      });
    const chunk = waiting.shift();
    if (chunk !== undefined) {
      controller.enqueue(chunk);
      invocation.consumed(chunk.length);
    }
    if (waiting.length === 0 && invocation.isRequestEnded && !isDropped) {
      isDropped = true;
      controller.close();
    }
  };
  const cancel = () => {
    isDropped = true;
    for (const chunk of waiting.splice(0)) invocation.consumed(chunk.length);
    wake?.();
  };
  const fail = (/** @type {string} */ reason) => {
    if (isDropped) return;
    isDropped = true;
    waiting.length = 0;
    controller.error(abortError(reason));
    wake?.();
  };
  const stream = new ReadableStream(
    { start: (own) => void (controller = own), pull, cancel },
    { highWaterMark: 0 },
  );
  return {
    stream,
    /** @param {Buffer} bytes @param {boolean} _isEnd told by the invocation */
    push(bytes, _isEnd) {
      if (isDropped) return invocation.consumed(bytes.length);
      if (bytes.length > 0) waiting.push(Uint8Array.from(bytes));
      wake?.();
      wake = null;
    },
    fail,
    /** The response is complete: the host sends no more of the request. */
    release: () => fail("the response has been sent"),
  };
}
