import { type KeepWindow, MINUTE_PRICE, keepWindow } from "./keep-window.ts";
import { ReuseTimes } from "./reuse-times.ts";

/** Idle times counted since a window was chosen, as a share of all of them, before it is chosen anew: 1/16. */
const NEW_SHARE_BITS = 4;

/** What one function has taught about its calls, and the window that follows from it. Lives as long as the function, from its first call on; lost with the gateway. */
export class KeepAlive {
  readonly times: ReuseTimes = new ReuseTimes();
  readonly #minutePrice: number;
  #window: KeepWindow | null = null;
  #memoryMiB = 0;
  #staleAt = 0;

  constructor(minutePrice: number = MINUTE_PRICE) {
    this.#minutePrice = minutePrice;
  }

  /** For a sandbox that has just become idle. */
  window(memoryMiB: number): KeepWindow {
    const { noted, bins } = this.times;
    if (this.#window !== null && noted < this.#staleAt && memoryMiB === this.#memoryMiB)
      return this.#window;
    this.#staleAt = noted + 1 + (noted >> NEW_SHARE_BITS);
    this.#memoryMiB = memoryMiB;
    this.#window = keepWindow(bins, memoryMiB, this.#minutePrice);
    return this.#window;
  }
}
