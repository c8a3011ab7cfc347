import type { Duplex, Readable, Writable } from "node:stream";

const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Carries a container's output, as an engine sends it (`stream 0 0 0 length`, then so many bytes), to the gateway's streams. What nobody takes stops the container's
 * writing, and nothing piles up here: what waits is one read of the connection. Once `hurry` is aborted it is dropped instead: an engine tells the end of a container
 * only when its output has been taken. Ends both, which may be the same, when the output ends; never rejects.
 */
export async function carryOutput(
  from: Readable,
  to: { stdout: Writable; stderr: Writable },
  hurry: AbortSignal,
): Promise<void> {
  const sinks = { stdout: new Sink(to.stdout, hurry), stderr: new Sink(to.stderr, hurry) };
  const header = Buffer.alloc(HEADER_BYTES);
  let headerBytes = 0;
  let left = 0;
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        if (left === 0) {
          const taken = chunk.copy(header, headerBytes, at, at + HEADER_BYTES - headerBytes);
          headerBytes += taken;
          at += taken;
          if (headerBytes < HEADER_BYTES) continue;
          headerBytes = 0;
          left = header.readUInt32BE(4);
          continue;
        }
        const part = chunk.subarray(at, at + left);
        at += part.length;
        left -= part.length;
        await (header[0] === STDERR ? sinks.stderr : sinks.stdout).write(part);
      }
    }
  } catch {
    // The connection broke: with it the container's end of the output is gone.
  } finally {
    from.destroy();
    to.stdout.end();
    to.stderr.end();
  }
}

/**
 * Joins a control stream of the gateway's with the connection that carries it: the container's input as it is, its output taken apart. Neither end makes this one
 * hold more than a read and what a full socket takes. The gateway's end is the end of the container's input, at which the runtime ends; the end of the connection
 * is that of the gateway's stream. Errors of both are the caller's to ignore.
 */
export function carryControl(connection: Duplex, control: Duplex, hurry: AbortSignal): void {
  control.pipe(connection);
  control.once("close", () => connection.end());
  // What is left unread would keep it open.
  connection.once("close", () => control.resume());
  void carryOutput(connection, { stdout: control, stderr: control }, hurry);
}

/** One of the gateway's streams. What is written to one that the gateway has closed is dropped. */
class Sink {
  readonly #stream: Writable;
  readonly #hurry: AbortSignal;
  /** Of the one writing that waits. */
  #goOn: () => void = () => {};

  constructor(stream: Writable, hurry: AbortSignal) {
    this.#stream = stream;
    this.#hurry = hurry;
    for (const event of ["drain", "close", "error"]) stream.on(event, () => this.#goOn());
    hurry.addEventListener("abort", () => this.#goOn());
  }

  async write(bytes: Buffer): Promise<void> {
    const [stream, hurry] = [this.#stream, this.#hurry];
    if (stream.destroyed || stream.writableEnded) return;
    if ((hurry.aborted && stream.writableNeedDrain) || stream.write(bytes)) return;
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
      if (stream.destroyed || hurry.aborted) resolve();
    });
  }
}
