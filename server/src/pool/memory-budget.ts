import { strict as assert } from "node:assert";

/** How much memory sandboxes may be promised on this machine. A reservation lasts until the sandbox is confirmed gone. */
export class MemoryBudget {
  readonly totalMiB: number;
  #reservedMiB = 0;
  #onFreed: () => void;

  /** `onFreed` runs after every release, for whoever waits for room. */
  constructor(totalMiB: number, onFreed: () => void) {
    this.totalMiB = totalMiB;
    this.#onFreed = onFreed;
  }

  get reservedMiB(): number {
    return this.#reservedMiB;
  }

  /** False, and nothing reserved, where it does not fit. */
  tryReserve(mib: number): boolean {
    if (this.#reservedMiB + mib > this.totalMiB) return false;
    this.#reservedMiB += mib;
    return true;
  }

  release(mib: number): void {
    this.#reservedMiB -= mib;
    assert(this.#reservedMiB >= 0, "more memory released than reserved");
    this.#onFreed();
  }
}
