/** No further change for this long: the save, or the checkout, is over. */
const QUIET_MS = 50;
/** What never ends, such as a log that is written into the folder, holds nothing up for longer. */
const BURST_MS_MAX = 500;

/**
 * Work that follows changes: once for all that come close together, never twice at a time, and exactly once more for all that come while it runs. `resting -> gathering ->
 * running (-> gathering) -> resting`, and `closed` from each.
 */
export class Burst {
  readonly #work: (firstAt: number) => Promise<void>;
  /** When the first change came that no work has begun for. */
  #firstAt: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  #isClosed = false;

  /** `firstAt`: monotonic ms. `work` must not reject. */
  constructor(work: (firstAt: number) => Promise<void>) {
    this.#work = work;
  }

  note(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    this.#firstAt ??= now;
    if (this.#running !== null) return;
    clearTimeout(this.#timer);
    const leftMs = this.#firstAt + BURST_MS_MAX - now;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, Math.min(QUIET_MS, leftMs)));
  }

  /** Resolves when nothing runs any more, and nothing will. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #run(): void {
    const firstAt = this.#firstAt ?? performance.now();
    this.#firstAt = null;
    this.#running = this.#work(firstAt).finally(() => {
      this.#running = null;
      if (this.#firstAt !== null) this.note();
    });
  }
}
