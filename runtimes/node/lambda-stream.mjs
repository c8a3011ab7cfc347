import { Writable } from "node:stream";
import { metadataOf } from "./awslambda.mjs";
import { Context, contextBase } from "./context.mjs";
import { BadResponse } from "./failure.mjs";
import { cancelBeforeRun, eventOf, refuseRequest } from "./lambda.mjs";
import { headLines } from "./lambda-result.mjs";
import { RequestBody } from "./request-body.mjs";
import { checkedHead } from "./response-head.mjs";

/** The second argument of streaming handlers. Its head goes out with the first write or the end. */
class ResponseStream extends Writable {
  #invocation;
  #contentType = "application/octet-stream";

  /** @param {import("./invocation.mjs").Invocation} invocation */
  constructor(invocation) {
    super();
    this.#invocation = invocation;
  }

  /** @param {string} type */
  setContentType(type) {
    this.#contentType = type;
  }

  /** @override @param {Buffer} chunk @param {BufferEncoding} _encoding @param {(error?: Error | null) => void} done */
  _write(chunk, _encoding, done) {
    try {
      this.#sendHead(false);
    } catch (error) {
      done(/** @type {Error} */ (error));
      return;
    }
    // The bytes stay the writer's own, who may use its buffer again after `done`.
    if (this.#invocation.write(chunk, false, () => done())) done();
  }

  /** @override @param {(error?: Error | null) => void} done */
  _final(done) {
    try {
      this.#sendHead(true);
      this.#invocation.end();
    } catch (error) {
      done(/** @type {Error} */ (error));
      return;
    }
    done();
  }

  /** @param {boolean} isEnd */
  #sendHead(isEnd) {
    const invocation = this.#invocation;
    if (invocation.hasHead) return;
    const { statusCode = 200, headers, cookies } = metadataOf(this) ?? {};
    const { text, hasContentType } = headLines(statusCode, headers, cookies);
    const type = hasContentType ? "" : `\ncontent-type\n${this.#contentType}`;
    invocation.head(checkedHead(text + type), isEnd);
  }
}

/**
 * Handlers wrapped by `awslambda.streamifyResponse`. The response is over when the stream has been ended; a handler that returns without
 * ending it may still be writing, and is waited for until the deadline.
 * @implements {import("./invocations.mjs").Kind}
 */
export class LambdaStreamKind {
  name = "lambda-stream";
  buffered = false;
  #handler;
  #init;
  #base;
  #context;

  /** @param {Function} handler @param {import("./environment.mjs").Init} init @param {import("./logs.mjs").Logs} logs */
  constructor(handler, init, logs) {
    this.#handler = handler;
    this.#init = init;
    this.#base = contextBase(init);
    this.#context = logs.context;
  }

  /** @param {import("./invocation.mjs").Invocation} invocation */
  start(invocation) {
    if (invocation.isRequestEnded) void this.#run(invocation, null);
    else invocation.work = new RequestBody();
  }

  /** @param {import("./invocation.mjs").Invocation} invocation @param {Buffer} bytes @param {boolean} isEnd */
  onBody(invocation, bytes, isEnd) {
    const bytesMax = this.#init.requestBodyBytesMax;
    const { work } = invocation;
    if (!work.add(invocation, bytes, bytesMax)) return refuseRequest(invocation, bytesMax);
    if (isEnd) void this.#run(invocation, work.whole());
  }

  /** @param {import("./invocation.mjs").Invocation} invocation */
  onCancel(invocation) {
    cancelBeforeRun(invocation);
    // The handler's writes and pipelines fail; its end is the end of the invocation.
    if (invocation.work instanceof ResponseStream) invocation.work.destroy();
  }

  /** @param {import("./invocation.mjs").Invocation} invocation @param {Buffer | null} body */
  async #run(invocation, body) {
    const event = eventOf(invocation, body, this.#init);
    if (event === undefined) return;
    const stream = new ResponseStream(invocation);
    invocation.work = stream;
    const context = new Context(this.#base, invocation);
    stream.on("error", (error) =>
      invocation.fail(error instanceof BadResponse ? "bad_response" : "function_error", error),
    );
    try {
      await this.#context.run(invocation, this.#handler, event, stream, context);
    } catch (error) {
      invocation.fail(error instanceof BadResponse ? "bad_response" : "function_error", error);
      stream.destroy();
      return;
    }
    invocation.isSettled = true;
    if (invocation.cancelReason !== null) invocation.fail("cancelled", null);
  }
}
