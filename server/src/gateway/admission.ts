import { IsolaError } from "../errors.ts";

/** The calls of one function at once, of whatever revision, running and waiting. */
export class CallCount {
  calls = 0;
  /** `reservedConcurrency` of its current revision. */
  reserved: number | null = null;
}

/**
 * Which calls are let in: at most `invocationsMax` at once. A function with `reservedConcurrency` has that many places for itself, and no more; the others share what
 * is left. A call costs a few additions.
 */
export class Admission {
  readonly #invocationsMax: number;
  #calls = 0;
  /** Sum of what is reserved. */
  #reserved = 0;
  /** Calls of functions that have places reserved. */
  #reservedCalls = 0;

  constructor(invocationsMax: number) {
    this.#invocationsMax = invocationsMax;
  }

  get calls(): number {
    return this.#calls;
  }

  /** Throws `too_many_requests`. What is let in has to `leave`. */
  enter(count: CallCount): void {
    const { reserved } = count;
    if (reserved !== null && count.calls >= reserved) {
      const text = `the function has ${count.calls} calls under way, and its reservedConcurrency is ${reserved}`;
      throw new IsolaError("too_many_requests", text);
    }
    if (this.#calls >= this.#invocationsMax) throw this.#full("and as many are under way");
    const shared = this.#calls - this.#reservedCalls;
    if (reserved === null && shared >= this.#invocationsMax - this.#reserved)
      throw this.#full(`${this.#reserved} of them reserved for others, and the rest is taken`);
    count.calls += 1;
    this.#calls += 1;
    if (reserved !== null) this.#reservedCalls += 1;
  }

  leave(count: CallCount): void {
    count.calls -= 1;
    this.#calls -= 1;
    if (count.reserved !== null) this.#reservedCalls -= 1;
  }

  /** From now on; null where the function is deleted, too. False where more is reserved than there is. */
  reserve(count: CallCount, reserved: number | null): boolean {
    const before = count.reserved;
    count.reserved = reserved;
    this.#reserved += (reserved ?? 0) - (before ?? 0);
    if (before === null && reserved !== null) this.#reservedCalls += count.calls;
    if (before !== null && reserved === null) this.#reservedCalls -= count.calls;
    return this.#reserved <= this.#invocationsMax;
  }

  #full(why: string): IsolaError {
    const text = `the server takes ${this.#invocationsMax} calls at once (invocationsMax), ${why}`;
    return new IsolaError("too_many_requests", text);
  }
}
