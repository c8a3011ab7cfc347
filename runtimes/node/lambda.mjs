import { Context, contextBase } from "./context.mjs";
import { BadResponse } from "./failure.mjs";
import { httpEvent } from "./lambda-event.mjs";
import { eventAnswer, httpAnswer } from "./lambda-result.mjs";
import { RequestBody } from "./request-body.mjs";

/** Declared parameters from which on a handler is one that answers through its callback. */
const CALLBACK_PARAMETERS = 3;

/**
 * Handlers of AWS Lambda that return a result: at once, as a promise, or through a callback.
 * @implements {import("./invocations.mjs").Kind}
 */
export class LambdaKind {
  name = "lambda";
  buffered = true;
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
    if (invocation.isRequestEnded) this.#run(invocation, null);
    else invocation.work = new RequestBody();
  }

  /** @param {import("./invocation.mjs").Invocation} invocation @param {Buffer} bytes @param {boolean} isEnd */
  onBody(invocation, bytes, isEnd) {
    const bytesMax = this.#init.requestBodyBytesMax;
    const { work } = invocation;
    if (!work.add(invocation, bytes, bytesMax)) return refuseRequest(invocation, bytesMax);
    if (isEnd) this.#run(invocation, work.whole());
  }

  /** @param {import("./invocation.mjs").Invocation} invocation */
  onCancel(invocation) {
    cancelBeforeRun(invocation);
  }

  /** @param {import("./invocation.mjs").Invocation} invocation @param {Buffer | null} body */
  #run(invocation, body) {
    invocation.work = null;
    const event = eventOf(invocation, body, this.#init);
    if (event === undefined) return;
    const context = new Context(this.#base, invocation);
    try {
      const result =
        this.#handler.length >= CALLBACK_PARAMETERS
          ? this.#runWithCallback(invocation, event, context)
          : this.#context.run(invocation, this.#handler, event, context);
      if (typeof result?.then === "function") void this.#settle(invocation, result);
      else this.#answer(invocation, result);
    } catch (error) {
      invocation.fail("function_error", error);
    }
  }

  /** A promise, or what the handler returned if that is one: then the callback is ignored. @param {import("./invocation.mjs").Invocation} invocation @param {unknown} event @param {Context} context */
  #runWithCallback(invocation, event, context) {
    const { promise, resolve, reject } = Promise.withResolvers();
    const callback = (/** @type {unknown} */ error, /** @type {unknown} */ result) =>
      error === undefined || error === null ? resolve(result) : reject(error);
    const returned = this.#context.run(invocation, this.#handler, event, context, callback);
    return typeof returned?.then === "function" ? returned : promise;
  }

  /** @param {import("./invocation.mjs").Invocation} invocation @param {PromiseLike<unknown>} result */
  async #settle(invocation, result) {
    let value;
    try {
      value = await result;
    } catch (error) {
      invocation.fail("function_error", error);
      return;
    }
    this.#answer(invocation, value);
  }

  /** @param {import("./invocation.mjs").Invocation} invocation @param {unknown} result */
  #answer(invocation, result) {
    if (invocation.isDone) return;
    invocation.isSettled = true;
    if (invocation.cancelReason !== null) return invocation.fail("cancelled", null);
    let answer;
    try {
      answer = invocation.isEvent ? eventAnswer(result) : httpAnswer(result);
    } catch (error) {
      invocation.fail(error instanceof BadResponse ? "bad_response" : "function_error", error);
      return;
    }
    const { head, body } = answer;
    const bytesMax = this.#init.responseBodyBytesMax;
    if (body.length > bytesMax) {
      const message = `response body of ${body.length} bytes exceeds ${bytesMax}; stream it, or send less`;
      return invocation.fail("bad_response", new BadResponse(message));
    }
    invocation.head(head, body.length === 0);
    if (body.length > 0) invocation.write(body, true, null);
  }
}

/** @param {import("./invocation.mjs").Invocation} invocation @param {number} bytesMax */
export function refuseRequest(invocation, bytesMax) {
  const error = new RangeError(`request body exceeds ${bytesMax} bytes`);
  error.stack = "";
  invocation.fail("request_too_large", error);
}

/** While the body is still on its way there is no handler to wait for. @param {import("./invocation.mjs").Invocation} invocation */
export function cancelBeforeRun(invocation) {
  if (invocation.work instanceof RequestBody) invocation.fail("cancelled", null);
}

/** The first argument of a handler. Undefined: an event that is not JSON, and the invocation has ended. @param {import("./invocation.mjs").Invocation} invocation @param {Buffer | null} body @param {import("./environment.mjs").Init} init */
export function eventOf(invocation, body, init) {
  if (!invocation.isEvent) return httpEvent(invocation.lines, body, init);
  try {
    return JSON.parse(body === null || body.length === 0 ? "null" : body.utf8Slice());
  } catch (error) {
    invocation.fail("function_error", error);
    return undefined;
  }
}
