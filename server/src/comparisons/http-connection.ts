import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";

/** One answer, counted rather than kept. */
export interface Answer {
  status: number;
  bodyBytes: number;
  /** Status line and headers. */
  head: string;
  /** Only when the connection keeps bodies. */
  body: Buffer | null;
}

const headBytesMax = 65_536;
type State = "idle" | "head" | "length" | "chunkSize" | "chunk" | "trailer";

/**
 * A keep-alive HTTP/1.1 connection for one request at a time, as cheap as can be: the request is bytes made beforehand, the answer is parsed only as far as needed
 * to know its status and length. Life: open, then any number of `send`, then `close`. Whatever goes wrong fails the request under way and all later ones.
 */
export class HttpConnection {
  #socket: Socket;
  #keepsBodies: boolean;
  #state: State = "idle";
  #partial: Buffer | null = null;
  #remaining = 0;
  #answer: Answer = { status: 0, bodyBytes: 0, head: "", body: null };
  #chunks: Buffer[] = [];
  #onAnswer: ((error: Error | null, answer: Answer) => void) | null = null;
  #failure: Error | null = null;

  private constructor(socket: Socket, keepsBodies: boolean) {
    this.#socket = socket;
    this.#keepsBodies = keepsBodies;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  static async open(
    to: { port: number } | { path: string },
    options: { keepsBodies?: boolean } = {},
  ): Promise<HttpConnection> {
    const socket = connect({ host: "127.0.0.1", ...to });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("connect", resolve);
    socket.once("error", reject);
    await promise;
    socket.off("error", reject);
    return new HttpConnection(socket, options.keepsBodies ?? false);
  }

  /** Calls back once, with the whole answer or with what went wrong. */
  send(request: Buffer, onAnswer: (error: Error | null, answer: Answer) => void): void {
    assert(this.#onAnswer === null, "one request at a time");
    this.#onAnswer = onAnswer;
    if (this.#failure !== null) return this.#fail(this.#failure);
    this.#state = "head";
    this.#answer = { status: 0, bodyBytes: 0, head: "", body: null };
    this.#socket.write(request);
  }

  call(request: Buffer): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.send(request, (error, answer) => (error === null ? resolve(answer) : reject(error)));
    return promise;
  }

  /** The server has said that it closes the connection after the last answer. */
  get isLast(): boolean {
    return /\r\nconnection: *close/i.test(this.#answer.head);
  }

  close(): void {
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket.destroy();
    const onAnswer = this.#onAnswer;
    this.#onAnswer = null;
    onAnswer?.(this.#failure, this.#answer);
  }

  #finish(): void {
    this.#state = "idle";
    if (this.#keepsBodies) {
      this.#answer.body = Buffer.concat(this.#chunks);
      this.#chunks = [];
    }
    const onAnswer = this.#onAnswer;
    this.#onAnswer = null;
    onAnswer?.(null, this.#answer);
  }

  #read(data: Buffer): void {
    let rest = this.#partial === null ? data : Buffer.concat([this.#partial, data]);
    this.#partial = null;
    while (rest.length > 0) {
      if (this.#state === "idle") return this.#fail(new Error("bytes that nobody asked for"));
      const used = this.#step(rest);
      if (used === 0) {
        if (rest.length > headBytesMax) return this.#fail(new Error("a head without end"));
        this.#partial = rest;
        return;
      }
      rest = rest.subarray(used);
    }
  }

  /** Bytes taken; 0 when more are needed. */
  #step(data: Buffer): number {
    switch (this.#state) {
      case "head":
        return this.#head(data);
      case "length":
      case "chunk":
        return this.#body(data);
      case "idle":
      case "chunkSize":
      case "trailer":
        return this.#line(data);
    }
  }

  #head(data: Buffer): number {
    const end = data.indexOf("\r\n\r\n");
    if (end < 0) return 0;
    const head = data.toString("latin1", 0, end);
    this.#answer.head = head;
    this.#answer.status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) {
      this.#remaining = Number(length);
      this.#state = "length";
      if (this.#remaining === 0) this.#finish();
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) this.#state = "chunkSize";
    else this.#finish();
    return end + 4;
  }

  #body(data: Buffer): number {
    const taken = Math.min(this.#remaining, data.length);
    this.#remaining -= taken;
    this.#answer.bodyBytes += taken;
    if (this.#keepsBodies) this.#chunks.push(data.subarray(0, taken));
    if (this.#remaining > 0) return taken;
    if (this.#state === "length") this.#finish();
    else this.#state = "chunkSize";
    return taken;
  }

  /** A chunk's size, the line end that closes the chunk before it, or the end of the trailer. */
  #line(data: Buffer): number {
    const end = data.indexOf("\r\n");
    if (end < 0) return 0;
    const line = data.toString("latin1", 0, end);
    if (this.#state === "trailer") {
      if (line === "") this.#finish();
    } else if (line !== "") {
      this.#remaining = Number.parseInt(line, 16);
      this.#state = this.#remaining === 0 ? "trailer" : "chunk";
    }
    return end + 2;
  }
}

/** Bytes of a request that keeps the connection open. */
export function requestBytes(
  path: string,
  options: {
    method?: string;
    body?: Buffer;
    type?: string;
    headers?: readonly [string, string][];
  } = {},
): Buffer {
  const { method = "GET", body, type = "text/plain", headers = [] } = options;
  const lines = [`${method} ${path} HTTP/1.1`, "host: 127.0.0.1"];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (body) lines.push(`content-type: ${type}`, `content-length: ${body.length}`);
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return body ? Buffer.concat([head, body]) : head;
}
