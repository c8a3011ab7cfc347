/** Collects a request body for handlers that get it whole; returns credit at once, up to `bytesMax`. */
export class RequestBody {
  /** @type {Buffer[]} */
  #chunks = [];
  #bytes = 0;

  /** False: the body exceeds the limit. @param {import("./invocation.mjs").Invocation} invocation @param {Buffer} bytes @param {number} bytesMax */
  add(invocation, bytes, bytesMax) {
    this.#bytes += bytes.length;
    if (this.#bytes > bytesMax) return false;
    if (bytes.length > 0) this.#chunks.push(bytes);
    invocation.consumed(bytes.length);
    return true;
  }

  whole() {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
  }
}
