/** Cuts bytes into lines of text. A line above the bound is given in full up to the bound, with `isTruncated`; the rest of it is dropped. */
export class LineSplitter {
  readonly #bytesMax: number;
  readonly #onLine: (text: string, isTruncated: boolean) => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  #isTruncated = false;

  constructor(bytesMax: number, onLine: (text: string, isTruncated: boolean) => void) {
    this.#bytesMax = bytesMax;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, start)) {
      this.#take(chunk.subarray(start, at));
      start = at + 1;
      this.#give();
    }
    if (start < chunk.length) this.#take(chunk.subarray(start));
  }

  /** Gives what has no line feed yet. */
  flush(): void {
    if (this.#bytes > 0 || this.#isTruncated) this.#give();
  }

  #take(piece: Buffer): void {
    const room = this.#bytesMax - this.#bytes;
    if (piece.length > room) this.#isTruncated = true;
    if (room === 0) return;
    const kept = piece.length > room ? piece.subarray(0, room) : piece;
    this.#parts.push(kept);
    this.#bytes += kept.length;
  }

  #give(): void {
    const text = Buffer.concat(this.#parts).toString("utf8");
    const isTruncated = this.#isTruncated;
    this.#parts = [];
    this.#bytes = 0;
    this.#isTruncated = false;
    this.#onLine(text, isTruncated);
  }
}
