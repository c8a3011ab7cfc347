import type { IncomingMessage, ServerResponse } from "node:http";
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

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.on("close", () => {
      if (!response.writableFinished) this.onGone();
    });
  }

  get hasHead(): boolean {
    return this.#response.headersSent;
  }

  head(status: number, headers: string[]): void {
    const response = this.#response;
    this.#hasNoBody = status === 204 || status === 304 || this.#request.method === "HEAD";
    response.writeHead(status, headers);
  }

  body(bytes: Buffer): boolean {
    if (this.#hasNoBody) return true;
    if (this.#response.write(bytes)) return true;
    this.#response.once("drain", () => this.onDrain());
    return false;
  }

  end(bytes?: Buffer): void {
    this.#response.end(this.#hasNoBody ? undefined : bytes);
    this.#linger();
  }

  flush(): void {
    this.#response.flushHeaders();
  }

  cut(): void {
    this.#response.destroy();
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
