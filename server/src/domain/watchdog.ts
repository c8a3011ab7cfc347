import type { Clock } from "./clock.ts";

export interface WatchdogOptions {
  clock: Clock;
  /** From one question to the next. */
  pingMs: number;
  /** Silence that is taken for a stall. */
  stallMs: number;
  ping(): void;
  /** Called once, with how long nothing was heard; nothing is asked afterwards. */
  onStall(silentMs: number): void;
}

/** A tick that comes this many times later than it should means that this process did not run either. */
const LATE_FACTOR = 3;

/**
 * Asks a process again and again whether its event loop turns. Life: `watching -> stalled | closed`. Time in which the watchdog itself did not run (a stopped
 * machine, a blocked supervisor) says nothing about the other: after it, the other has a full period again.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #heardAt: number;
  #tickedAt: number;
  #cancel: () => void = () => {};

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.#tickedAt = this.#heardAt;
    this.#ask();
  }

  /** The other has said something: its event loop turns. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
  }

  close(): void {
    this.#cancel();
  }

  #ask(): void {
    this.#options.ping();
    this.#cancel = this.#options.clock.after(this.#options.pingMs, () => this.#tick());
  }

  #tick(): void {
    const { clock, pingMs, stallMs, onStall } = this.#options;
    const now = clock.now();
    if (now - this.#tickedAt > pingMs * LATE_FACTOR) this.#heardAt = now;
    this.#tickedAt = now;
    const silentMs = now - this.#heardAt;
    if (silentMs >= stallMs) onStall(silentMs);
    else this.#ask();
  }
}
