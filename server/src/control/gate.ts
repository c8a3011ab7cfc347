/** Many may share it, one may have it alone. Who waits to have it alone goes before those who come later to share. */
export class Gate {
  #sharing = 0;
  #alone: Promise<unknown> | null = null;
  #onEmpty: (() => void) | null = null;

  async share<T>(task: () => Promise<T>): Promise<T> {
    while (this.#alone !== null) await this.#alone;
    this.#sharing += 1;
    try {
      return await task();
    } finally {
      this.#sharing -= 1;
      if (this.#sharing === 0) this.#onEmpty?.();
    }
  }

  async alone<T>(task: () => Promise<T>): Promise<T> {
    while (this.#alone !== null) await this.#alone;
    const mine = this.#whenEmpty().then(task);
    this.#alone = mine.catch(() => {
      // Whoever asked for it alone gets the failure; the others only wait for the end.
    });
    try {
      return await mine;
    } finally {
      this.#alone = null;
    }
  }

  async #whenEmpty(): Promise<void> {
    if (this.#sharing === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    this.#onEmpty = null;
  }
}
