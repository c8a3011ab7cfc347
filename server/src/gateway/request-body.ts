import type { Readable } from "node:stream";

/** The body of a request on its way to a sandbox. */
export interface RequestBody {
  /** By `content-length`; null when unknown. */
  readonly declaredBytes: number | null;
  /** All of it has been received. */
  readonly isComplete: boolean;
  start(onBytes: (bytes: Buffer) => void, onEnd: () => void): void;
  pause(): void;
  resume(): void;
  /** Nothing is called afterwards; what is left is not read. */
  stop(): void;
}

/** A body that streams in. Nothing is read before `start`. */
export class StreamedBody implements RequestBody {
  readonly declaredBytes: number | null;
  readonly #source: Readable;
  readonly #invite: (() => void) | null;
  #onBytes: ((bytes: Buffer) => void) | null = null;
  #onEnd: (() => void) | null = null;

  /** `invite` is called where the caller waits to be asked for the body (`Expect: 100-continue`). */
  constructor(source: Readable, declaredBytes: number | null, invite: (() => void) | null) {
    this.#source = source;
    this.declaredBytes = declaredBytes;
    this.#invite = invite;
  }

  get isComplete(): boolean {
    return this.#source.readableEnded;
  }

  start(onBytes: (bytes: Buffer) => void, onEnd: () => void): void {
    this.#onBytes = onBytes;
    this.#onEnd = onEnd;
    this.#source.on("data", onBytes);
    this.#source.on("end", onEnd);
    this.#invite?.();
  }

  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }

  stop(): void {
    if (this.#onBytes === null || this.#onEnd === null) return;
    this.#source.off("data", this.#onBytes);
    this.#source.off("end", this.#onEnd);
    this.#onBytes = null;
    this.#onEnd = null;
    this.#source.pause();
  }
}

/** A body that is there already. */
export class WholeBody implements RequestBody {
  readonly declaredBytes: number;
  readonly isComplete = true;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.declaredBytes = bytes.length;
  }

  start(onBytes: (bytes: Buffer) => void, onEnd: () => void): void {
    onBytes(this.#bytes);
    onEnd();
  }

  pause(): void {
    // Given as a whole; the channel holds what has no credit yet.
  }

  resume(): void {}

  stop(): void {}
}
