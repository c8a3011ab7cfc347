import { Context, contextBase } from "./context.mjs";
import { BadResponse } from "./failure.mjs";
import { requestStream } from "./request-stream.mjs";
import { checkedHead, headerLines, shown, statusText } from "./response-head.mjs";

const FIXED_LINES = 9;

/**
 * A `Request` whose signal is made when it is first asked for: a linked signal costs several times as much as the rest of the request, and
 * few functions look at it. What `clone` gives has it too; a request made from this one by `new Request(request)` has a signal of its own.
 */
const InvocationRequest = class Request extends globalThis.Request {
  #invocation;

  /** @param {globalThis.Request | string} input @param {RequestInit | undefined} init @param {import("./invocation.mjs").Invocation} invocation */
  constructor(input, init, invocation) {
    super(input, init);
    this.#invocation = invocation;
  }

  get signal() {
    return this.#invocation.signal;
  }

  clone() {
    return new InvocationRequest(super.clone(), undefined, this.#invocation);
  }
};

/**
 * Web-standard functions: `fetch(request, context)` returns a `Response`; both bodies are streamed.
 * @implements {import("./invocations.mjs").Kind}
 */
export class FetchKind {
  name = "fetch";
  buffered = false;
  #target;
  #base;
  #context;
  #call;

  /** @param {{fetch: Function}} target @param {import("./environment.mjs").Init} init @param {import("./logs.mjs").Logs} logs */
  constructor(target, init, logs) {
    this.#target = target;
    this.#base = contextBase(init);
    this.#context = logs.context;
    this.#call = (/** @type {Request} */ request, /** @type {Context} */ context) =>
      this.#target.fetch(request, context);
  }

  /** @param {import("./invocation.mjs").Invocation} invocation */
  start(invocation) {
    if (invocation.isEvent) {
      const message = "the function answers HTTP requests, not events";
      return invocation.fail("not_an_event_function", new BadResponse(message));
    }
    void this.#run(invocation);
  }

  /** @param {import("./invocation.mjs").Invocation} invocation @param {Buffer} bytes @param {boolean} isEnd */
  onBody(invocation, bytes, isEnd) {
    const { work } = invocation;
    if (work !== null) work.push(bytes, isEnd);
    else invocation.consumed(bytes.length);
  }

  /** @param {import("./invocation.mjs").Invocation} invocation */
  onCancel(invocation) {
    invocation.work?.fail(invocation.cancelReason);
    cancelReader(invocation.reader, invocation.cancelReason);
  }

  /** @param {import("./invocation.mjs").Invocation} invocation */
  async #run(invocation) {
    let response;
    try {
      const context = new Context(this.#base, invocation);
      const request = requestOf(invocation);
      response = await this.#context.run(invocation, this.#call, request, context);
    } catch (error) {
      invocation.fail("function_error", error);
      return;
    }
    invocation.isSettled = true;
    if (invocation.cancelReason !== null) invocation.fail("cancelled", null);
    if (invocation.isDone) return cancelReader(response?.body, invocation.cancelReason);
    try {
      const head = headOf(response);
      const body = response.body;
      invocation.head(head, body === null || body === undefined);
      if (!invocation.isDone) await sendBody(invocation, body);
    } catch (error) {
      invocation.fail(error instanceof BadResponse ? "bad_response" : "function_error", error);
    }
  }
}

/** @param {import("./invocation.mjs").Invocation} invocation */
function requestOf(invocation) {
  const { lines } = invocation;
  const method = /** @type {string} */ (lines[1]);
  const headers = headersOf(lines);
  const url = `${lines[6]}://${hostOf(lines)}${lines[2]}`;
  if (invocation.isRequestEnded || method === "GET" || method === "HEAD")
    return new InvocationRequest(url, { method, headers }, invocation);
  invocation.work = requestStream(invocation);
  const body = invocation.work.stream;
  return new InvocationRequest(url, { method, headers, body, duplex: "half" }, invocation);
}

/**
 * Header names and values as an object, which `Request` reads faster than pairs; as pairs where a name comes twice.
 * @param {string[]} lines
 */
function headersOf(lines) {
  /** @type {Record<string, string>} */
  const headers = {};
  for (let at = FIXED_LINES; at < lines.length; at += 2) {
    const name = /** @type {string} */ (lines[at]);
    // Also members that every object inherits.
    if (headers[name] !== undefined) return headerPairs(lines);
    headers[name] = /** @type {string} */ (lines[at + 1]);
  }
  return headers;
}

/** @param {string[]} lines */
function hostOf(lines) {
  for (let at = FIXED_LINES; at < lines.length; at += 2)
    if (lines[at] === "host" && lines[at + 1] !== "") return lines[at + 1];
  return "localhost";
}

/** @param {string[]} lines @returns {[string, string][]} */
function headerPairs(lines) {
  /** @type {[string, string][]} */
  const pairs = [];
  for (let at = FIXED_LINES; at < lines.length; at += 2)
    pairs.push([/** @type {string} */ (lines[at]), /** @type {string} */ (lines[at + 1])]);
  return pairs;
}

/** Takes the `Response` of any implementation. @param {any} response */
function headOf(response) {
  const isResponse =
    typeof response === "object" &&
    response !== null &&
    typeof response.status === "number" &&
    typeof response.headers?.[Symbol.iterator] === "function";
  if (!isResponse) throw new BadResponse(`fetch must return a Response, not ${shown(response)}`);
  let text = statusText(response.status);
  for (const [name, value] of response.headers) text += headerLines(name, value);
  if (response.bodyUsed) throw new BadResponse("the body of the Response has been used already");
  return checkedHead(text);
}

/** Sends a body as fast as the host takes it. @param {import("./invocation.mjs").Invocation} invocation @param {ReadableStream<Uint8Array>} body */
async function sendBody(invocation, body) {
  const reader = body.getReader();
  invocation.reader = reader;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (invocation.isDone) return cancelReader(reader, invocation.cancelReason);
      if (done) return invocation.end();
      if (!(value instanceof Uint8Array))
        throw new BadResponse(`the body must be a stream of Uint8Array, not of ${shown(value)}`);
      await sent(invocation, value);
    }
  } catch (error) {
    cancelReader(reader, error);
    throw error;
  }
}

/** Tells the source of a body that nobody reads it any more. @param {any} reader a reader or a stream, if there is one @param {unknown} reason */
function cancelReader(reader, reason) {
  // A source that cannot be cancelled, or fails at it, has nobody left to tell.
  if (typeof reader?.cancel === "function")
    Promise.try(() => reader.cancel(reason)).catch(() => {});
}

/** @param {import("./invocation.mjs").Invocation} invocation @param {Uint8Array} bytes */
function sent(invocation, bytes) {
  const { promise, resolve } = Promise.withResolvers();
  return invocation.write(bytes, false, () => resolve(undefined)) ? undefined : promise;
}
