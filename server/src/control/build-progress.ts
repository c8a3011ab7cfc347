import type { FastifyReply, FastifyRequest } from "fastify";
import type { BuildProgress } from "../builds/ports.ts";
import { errorBody, asIsolaError } from "./error-answer.ts";

const STREAM_TYPE = "application/x-ndjson";

/** For the document of the API. */
export const buildsAndStreams =
  'Answers once what the package needs is built. With `Accept: application/x-ndjson` the output comes line by line (`{"type":"output","text":...}`), and then the function (`{"type":"function","function":...}`) or the error (`{"type":"error","error":...}`), with status 200; what builds nothing, or fails before any output, is answered as ever.';

/** A caller who goes away cancels the build that only they wait for. */
function progressOf(reply: FastifyReply, onOutput: BuildProgress["onOutput"]): BuildProgress {
  const abort = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) abort.abort();
  });
  return { onOutput, signal: abort.signal };
}

/**
 * Carries out a change that may build. Who accepts `application/x-ndjson` gets the output line by line as it comes, `{"type":"output","text":...}`, and then one line with the
 * function or the error; what fails before any output is an ordinary error, and what builds nothing an ordinary answer.
 */
export async function withProgress<T extends object>(
  request: FastifyRequest,
  reply: FastifyReply,
  change: (progress: BuildProgress) => Promise<T>,
): Promise<T> {
  if (!(request.headers.accept ?? "").includes(STREAM_TYPE))
    return change(progressOf(reply, () => {}));
  const stream = new AnswerStream(reply);
  const progress = progressOf(reply, (lines) => stream.output(lines));
  try {
    const answer = await change(progress);
    if (stream.isOpen) stream.end({ type: "function", function: answer });
    return answer;
  } catch (error) {
    if (stream.isOpen) stream.end({ type: "error", ...errorBody(asIsolaError(error), request.id) });
    throw error;
  }
}

/** Opens with the first output: by then the status is decided. */
class AnswerStream {
  readonly #reply: FastifyReply;
  isOpen = false;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
  }

  output(lines: readonly string[]): void {
    const { raw } = this.#reply;
    if (lines.length === 0 || raw.destroyed) return;
    this.#open();
    // A reader who does not keep up misses lines; the build does not wait for them, and the memory is bounded.
    if (raw.writableLength > BACKLOG_BYTES_MAX) return;
    raw.write(lines.map((text) => `${JSON.stringify({ type: "output", text })}\n`).join(""));
  }

  end(last: object): void {
    this.#reply.raw.end(`${JSON.stringify(last)}\n`);
  }

  #open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    const headers = this.#reply.getHeaders() as Record<string, string>;
    this.#reply.hijack();
    this.#reply.raw.writeHead(200, { ...headers, "content-type": STREAM_TYPE });
  }
}

const BACKLOG_BYTES_MAX = 1_048_576;
