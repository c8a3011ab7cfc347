/** How a column of ids lies in a chunk: so many bytes for each row, all of them zero for null. A column without any id is not in the chunk. */
export type IdPacking = ["id", bytes: number];

/** A column of ids that are hex digits, of one length and never all zero. Costs nothing while there are none. */
export class IdColumn {
  readonly #width: number;
  readonly #bytes: Buffer;
  isUsed = false;

  /** `digits`: of an id. */
  constructor(rows: number, digits: number) {
    this.#width = digits / 2;
    this.#bytes = Buffer.alloc(rows * this.#width);
  }

  put(at: number, id: string | null): void {
    if (id === null) return;
    this.isUsed = true;
    this.#bytes.write(id, at * this.#width, this.#width, "hex");
  }

  /** A copy, after which the column is empty. */
  take(count: number): [IdPacking, Uint8Array] {
    const bytes = Buffer.from(this.#bytes.subarray(0, count * this.#width));
    this.#bytes.fill(0, 0, bytes.length);
    this.isUsed = false;
    return [["id", this.#width], bytes];
  }
}

/** A column of ids that is read. */
export class ReadIds {
  readonly #width: number;
  readonly #bytes: Buffer;

  constructor([, width]: IdPacking, bytes: Buffer) {
    this.#width = width;
    this.#bytes = bytes;
  }

  has(at: number): boolean {
    const end = (at + 1) * this.#width;
    for (let byte = end - this.#width; byte < end; byte += 1)
      if (this.#bytes[byte] !== 0) return true;
    return false;
  }

  is(at: number, id: Buffer): boolean {
    const from = at * this.#width;
    return this.#bytes.compare(id, 0, id.length, from, from + this.#width) === 0 && this.has(at);
  }

  at(at: number): string | null {
    if (!this.has(at)) return null;
    return this.#bytes.toString("hex", at * this.#width, (at + 1) * this.#width);
  }
}
