import { type Socket, connect } from "node:net";
import { type RawAnswer, parseAnswer } from "./answer-parser.ts";

/** After this long without what it waits for, a caller gives up: something hangs. */
const HANG_MS = 20_000;

/** What a whole connection brought, until the server closed it. */
export interface Exchange {
  answers: RawAnswer[];
  /** Bytes after the last whole answer: "" where the server kept to its word. */
  rest: string;
}

/** A caller that writes what it likes, and reads answers as HTTP/1.1 says. `open -> ended`, by either side. */
export class RawCaller {
  readonly socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #wake: () => void = () => {};

  /** `localAddress`: where it calls from. */
  constructor(url: string, localAddress?: string) {
    const { hostname, port } = new URL(url);
    const from = localAddress === undefined ? {} : { localAddress };
    this.socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, ...from });
    this.socket.on("data", (bytes: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
      this.#wake();
    });
    const ended = () => {
      this.#hasEnded = true;
      this.#wake();
    };
    this.socket.on("end", ended).on("close", ended);
    this.socket.on("error", ended); // a reset is an end as well
  }

  /** Text is taken byte by byte (ISO-8859-1). */
  send(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** Says that nothing more comes, and goes on reading. */
  endSending(): this {
    this.socket.end();
    return this;
  }

  /** Leaves without a word; `reset` says it with a RST. */
  leave(how: "close" | "reset" = "close"): void {
    if (how === "reset") this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /** The next answer; null when the server closed the connection instead. Throws `MalformedAnswer`. */
  async answer(method = "GET"): Promise<RawAnswer | null> {
    for (;;) {
      const read =
        this.#bytes.length === 0
          ? null
          : parseAnswer(this.#bytes, method === "HEAD", this.#hasEnded);
      if (read !== null) {
        this.#bytes = this.#bytes.subarray(read.bytesUsed);
        return read.answer;
      }
      if (this.#hasEnded) return null;
      await this.#change();
    }
  }

  /** Something has come, or the connection has ended. */
  async anything(): Promise<void> {
    while (this.#bytes.length === 0 && !this.#hasEnded) await this.#change();
  }

  /** Every answer until the server closes the connection; `methods` of the requests, where not all are `GET`. */
  async untilClosed(methods: readonly string[] = []): Promise<Exchange> {
    const answers: RawAnswer[] = [];
    for (;;) {
      const answer = await this.answer(methods[answers.length]);
      if (answer === null) break;
      answers.push(answer);
    }
    const rest = this.#bytes.toString("latin1");
    this.leave();
    return { answers, rest };
  }

  async #change(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(() => {
      const got = JSON.stringify(this.#bytes.toString("latin1", 0, 300));
      this.leave();
      reject(new Error(`nothing came within ${HANG_MS} ms, after ${got}`));
    }, HANG_MS);
    await promise.finally(() => clearTimeout(timer));
  }
}

/** Sends `bytes` as one piece, and reads until the server closes the connection. */
export async function exchange(
  url: string,
  bytes: string | Buffer,
  methods?: readonly string[],
): Promise<Exchange> {
  return await new RawCaller(url).send(bytes).untilClosed(methods);
}
