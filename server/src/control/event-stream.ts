import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";

const TYPE = "text/event-stream";
/** Text that waits for a reader; while there is more, what comes is left out and counted. */
const BACKLOG_BYTES_MAX = 262_144;
/** A reader who took nothing between so many heartbeats has gone. */
const STALLED_BEATS_MAX = 4;

/** Whether the caller wants what happens as it happens. */
export function wantsStream(request: FastifyRequest): boolean {
  return request.method === "GET" && (request.headers.accept ?? "").includes(TYPE);
}

/**
 * An answer of server-sent events, `open -> ended`. Every event is one line of JSON, in which no text of a function can end a line. Writing never waits: what a reader does not keep up
 * with is left out, and `dropped` says how much as soon as there is room.
 */
export class EventStream {
  readonly #raw: ServerResponse;
  #dropped = 0;
  #stalledBeats = 0;
  #isEnded = false;

  constructor(reply: FastifyReply) {
    this.#raw = reply.raw;
    const headers = reply.getHeaders() as Record<string, string>;
    reply.hijack();
    this.#raw.writeHead(200, { ...headers, "content-type": TYPE });
    this.#raw.write("retry: 1000\n\n");
    this.#raw.on("drain", () => this.#tellDropped());
  }

  get isEnded(): boolean {
    return this.#isEnded || this.#raw.destroyed;
  }

  onClosed(then: () => void): void {
    this.#raw.once("close", then);
  }

  /** `data`: JSON. */
  send(name: string, id: number, data: string): void {
    if (this.isEnded) return;
    if (this.#raw.writableLength > BACKLOG_BYTES_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#tellDropped();
    this.#raw.write(`id: ${id}\nevent: ${name}\ndata: ${data}\n\n`);
  }

  /** So many were not even tried. */
  drop(count: number): void {
    this.#dropped += count;
    this.#tellDropped();
  }

  /** Keeps what stands between from closing the connection, and finds readers who have gone. */
  beat(): void {
    if (this.isEnded) return;
    if (this.#raw.writableLength <= BACKLOG_BYTES_MAX) {
      this.#stalledBeats = 0;
      this.#raw.write(":\n\n");
      return;
    }
    this.#stalledBeats += 1;
    if (this.#stalledBeats >= STALLED_BEATS_MAX) this.#raw.destroy();
  }

  end(reason: string): void {
    if (this.isEnded) return;
    this.#isEnded = true;
    const last = `event: end\ndata: ${JSON.stringify({ reason })}\n\n`;
    // A reader who does not read would hold up the end of the server.
    if (this.#raw.writableLength > BACKLOG_BYTES_MAX) this.#raw.destroy();
    else this.#raw.end(last);
  }

  #tellDropped(): void {
    if (this.#dropped === 0 || this.isEnded) return;
    if (this.#raw.writableLength > BACKLOG_BYTES_MAX) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#raw.write(`event: dropped\ndata: ${JSON.stringify({ count })}\n\n`);
  }
}
