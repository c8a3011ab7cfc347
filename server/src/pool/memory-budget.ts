import { strict as assert } from "node:assert";

/** Who holds memory: a project. */
export interface MemoryHolder {
  heldMiB: number;
}

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

  get freeMiB(): number {
    return this.totalMiB - this.#reservedMiB;
  }

  /** False, and nothing reserved, where it does not fit. */
  tryReserve(mib: number, holder: MemoryHolder | null): boolean {
    if (this.#reservedMiB + mib > this.totalMiB) return false;
    this.#reservedMiB += mib;
    if (holder !== null) holder.heldMiB += mib;
    return true;
  }

  release(mib: number, holder: MemoryHolder | null): void {
    this.#reservedMiB -= mib;
    if (holder !== null) holder.heldMiB -= mib;
    assert(
      this.#reservedMiB >= 0 && (holder?.heldMiB ?? 0) >= 0,
      "more memory released than reserved",
    );
    this.#onFreed();
  }
}
