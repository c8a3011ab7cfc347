import type { IncomingMessage, ServerResponse } from "node:http";
import { GatheredBytes } from "./gathered-bytes.ts";
import type { Reply } from "./reply.ts";

/** A caller that still sends its request after the answer is given this long to notice. */
const LINGER_MS = 500;

/** Answers through `node:http`, with back-pressure. */
export class HttpReply implements Reply {
  onDrain: () => void = noop;
  onGone: () => void = noop;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #hasNoBody = false;
  /** The caller went away: what is still written goes nowhere, at once. */
  #isGone = false;
  /** Bytes that came while the caller was slow; the protocol's window bounds them. null: it keeps up. */
  #held: GatheredBytes | null = null;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.on("close", () => {
      if (response.writableFinished) return;
      this.#isGone = true;
      this.#held = null;
      this.onGone();
    });
  }

  get hasHead(): boolean {
    return this.#response.headersSent;
  }

  head(status: number, headers: string[]): void {
    if (this.#isGone) return;
    const response = this.#response;
    this.#hasNoBody = status === 204 || status === 304 || this.#request.method === "HEAD";
    response.writeHead(status, headers);
  }

  body(bytes: Buffer): boolean {
    if (this.#hasNoBody || this.#isGone) return true;
    if (this.#held !== null) {
      this.#held.add(bytes);
      return false;
    }
    if (this.#response.write(bytes)) return true;
    this.#held = new GatheredBytes();
    this.#response.once("drain", () => this.#onDrain());
    return false;
  }

  end(bytes?: Buffer): void {
    if (this.#isGone) return;
    const held = this.#held?.take() ?? null;
    this.#held = null;
    if (held !== null) this.#response.write(held);
    this.#response.end(this.#hasNoBody ? undefined : bytes);
    this.#linger();
  }

  flush(): void {
    if (this.#isGone) return;
    this.#response.flushHeaders();
  }

  cut(): void {
    this.#response.destroy();
  }

  /** What came meanwhile goes out as one piece. */
  #onDrain(): void {
    const held = this.#held?.take() ?? null;
    this.#held = null;
    if (held !== null && !this.body(held)) return;
    this.onDrain();
  }

  #linger(): void {
    const request = this.#request;
    if (request.complete || !hasBody(request)) return;
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
