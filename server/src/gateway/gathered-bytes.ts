const SLAB_BYTES = 16_384;

/** Collects pieces by copying, so that many small ones cost their bytes and not an object each. */
export class GatheredBytes {
  #slabs: Buffer[] = [];
  /** Free bytes at the end of the last slab. */
  #free = 0;

  add(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#free === 0) {
        this.#slabs.push(Buffer.allocUnsafe(SLAB_BYTES));
        this.#free = SLAB_BYTES;
      }
      const slab = this.#slabs.at(-1) as Buffer;
      const copied = bytes.copy(slab, SLAB_BYTES - this.#free, at);
      this.#free -= copied;
      at += copied;
    }
  }

  /** All of it, or null when there is nothing. */
  take(): Buffer | null {
    if (this.#slabs.length === 0) return null;
    const all = Buffer.concat(this.#slabs, this.#slabs.length * SLAB_BYTES - this.#free);
    this.#slabs = [];
    this.#free = 0;
    return all;
  }
}
