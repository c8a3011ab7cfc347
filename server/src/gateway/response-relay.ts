import { fixedLimits } from "../domain/limits.ts";
import { responseHeaders } from "./headers.ts";
import type { Reply } from "./reply.ts";

/**
 * Passes one response on to its reply: `nothing -> head held -> head given -> ended`. The head is held until the first piece of the body or a pause, so that a short
 * response goes out in one write with its length. Methods return what is wrong with the response, or null; after a problem nothing more is passed on.
 */
export class ResponseRelay {
  readonly #reply: Reply;
  readonly #method: string;
  /** Headers of the gateway's own, asked for when the head goes out. */
  readonly #ownHeaders: () => string[];
  #held: { status: number; headers: string[] } | null = null;
  #contentLength = -1;
  status = 0;
  bytes = 0;
  /** The caller is slow: the piece given last is not yet consumed. */
  isHeldUp = false;

  constructor(reply: Reply, method: string, ownHeaders: () => string[]) {
    this.#reply = reply;
    this.#method = method;
    this.#ownHeaders = ownHeaders;
  }

  hold(status: number, headers: string[]): void {
    this.#held = { status, headers };
  }

  /** The held head goes out although nothing of the body has come. */
  flush(): string | null {
    if (this.#held === null) return null;
    const problem = this.#giveHead(undefined);
    if (problem === null) this.#reply.flush();
    return problem;
  }

  body(bytes: Buffer, bytesMax: number): string | null {
    this.bytes += bytes.length;
    if (this.bytes > bytesMax) return `the response exceeds ${bytesMax} bytes`;
    const problem =
      (this.#held === null ? null : this.#giveHead(undefined)) ?? this.#lengthProblem(false);
    if (problem !== null) return problem;
    this.isHeldUp = !this.#reply.body(bytes);
    return null;
  }

  /** `bytes`: the last or only piece. */
  end(bytes: Buffer | undefined, bytesMax: number): string | null {
    this.bytes += bytes?.length ?? 0;
    if (this.bytes > bytesMax) return `the response exceeds ${bytesMax} bytes`;
    const problem =
      (this.#held === null ? null : this.#giveHead(bytes?.length ?? 0)) ??
      this.#lengthProblem(true);
    if (problem !== null) return problem;
    this.#reply.end(bytes);
    return null;
  }

  /** `wholeBytes`: the length of the whole body, where it is known. */
  #giveHead(wholeBytes: number | undefined): string | null {
    const head = this.#held as { status: number; headers: string[] };
    this.#held = null;
    const isEmpty = head.status === 204 || head.status === 205;
    const checked = responseHeaders(head.headers, fixedLimits.headerBytesMax, isEmpty);
    if (typeof checked === "string") return checked;
    const { headers } = checked;
    this.#contentLength = checked.contentLength;
    this.status = head.status;
    const lengthProblem = this.#lengthProblem(wholeBytes !== undefined);
    if (lengthProblem !== null) return lengthProblem;
    if (head.status === 205) headers.push("content-length", "0");
    else if (checked.contentLength === -1 && this.#mayCount(wholeBytes))
      headers.push("content-length", String(wholeBytes));
    for (const header of this.#ownHeaders()) headers.push(header);
    try {
      this.#reply.head(head.status, headers);
      return null;
    } catch (error) {
      return `the response cannot be sent: ${(error as Error).message}`;
    }
  }

  #mayCount(bytes: number | undefined): boolean {
    if (bytes === undefined || this.status === 204 || this.status === 304) return false;
    return bytes > 0 || this.#method !== "HEAD";
  }

  /** Whether the body breaks the promised `content-length`. */
  #lengthProblem(isEnd: boolean): string | null {
    const promised = this.#contentLength;
    if (promised === -1 || this.#method === "HEAD" || this.status === 304) return null;
    const isWrong = isEnd ? this.bytes !== promised : this.bytes > promised;
    return isWrong ? `content-length was ${promised}, the body has ${this.bytes} bytes` : null;
  }
}
