import type { IncomingMessage, ServerResponse } from "node:http";
import type { Failure } from "./error-body.ts";
import { GatheredBytes } from "./gathered-bytes.ts";
import type { Reply } from "./reply.ts";

/** A caller that still sends its request after the answer is given this long to notice. */
export const LINGER_MS = 2000;

/** Answers through `node:http`, with back-pressure. */
export class HttpReply implements Reply {
  onDrain: () => void = noop;
  onGone: () => void = noop;
  /** Of the call; "" before its turn has come. */
  id = "";
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  #hasNoBody = false;
  /** The caller went away: what is still written goes nowhere, at once. */
  #isGone = false;
  #isRefused = false;
  /** Bytes that came while the caller was slow; the protocol's window bounds them. null: it keeps up. */
  #held: GatheredBytes | null = null;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    response.on("close", () => {
      if (response.writableFinished) return;
      this.#isGone = true;
      this.#held = null;
      this.onGone();
    });
  }

  get hasHead(): boolean {
    return this.response.headersSent;
  }

  /** The answer has been given as a whole. */
  get isFinished(): boolean {
    return this.response.writableFinished;
  }

  /** The next move is the caller's. */
  get waitsForBody(): boolean {
    const { request } = this;
    return !request.complete && request.readableFlowing === true && !this.isFinished;
  }

  head(status: number, headers: string[]): void {
    if (this.#isRefused || this.#isGone) return;
    const { request, response } = this;
    this.#hasNoBody =
      status === 204 || status === 304 || status === 205 || request.method === "HEAD";
    // What is left of the request is not worth waiting for.
    if (status >= 400 && !request.complete && hasBody(request)) headers.push("connection", "close");
    response.writeHead(status, headers);
  }

  body(bytes: Buffer): boolean {
    if (this.#hasNoBody || this.#isRefused || this.#isGone) return true;
    if (this.#held !== null) {
      this.#held.add(bytes);
      return false;
    }
    if (this.response.write(bytes)) return true;
    this.#held = new GatheredBytes();
    this.response.once("drain", () => this.#onDrain());
    return false;
  }

  end(bytes?: Buffer): void {
    if (this.#isRefused || this.#isGone) return;
    const held = this.#held?.take() ?? null;
    this.#held = null;
    if (held !== null) this.response.write(held);
    this.response.end(this.#hasNoBody ? undefined : bytes);
    if (!this.request.complete && hasBody(this.request)) this.#linger();
  }

  flush(): void {
    if (!this.#isRefused && !this.#isGone) this.response.flushHeaders();
  }

  cut(): void {
    this.response.destroy();
  }

  /** Answers in the place of whoever would have, who is told that the caller has gone. */
  refuse({ status, headers, body }: Failure): void {
    this.onGone();
    if (this.hasHead) {
      this.request.socket.destroy();
      return;
    }
    this.head(status, headers);
    this.end(body);
    this.#isRefused = true;
  }

  /** What came meanwhile goes out as one piece. */
  #onDrain(): void {
    const held = this.#held?.take() ?? null;
    this.#held = null;
    if (held !== null && !this.body(held)) return;
    this.onDrain();
  }

  #linger(): void {
    const { request } = this;
    request.resume();
    setTimeout(() => {
      if (!request.complete) request.socket.destroy();
    }, LINGER_MS).unref();
  }
}

export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request;
  if (headers["transfer-encoding"] !== undefined) return true;
  const length = headers["content-length"];
  return length !== undefined && length !== "0";
}

function noop(): void {}
