import type { EventLoop } from "../../domain/clock.ts";

interface Timer {
  at: number;
  run: () => void;
}

/** A clock that stands still until it is told to move. */
export class ManualClock implements EventLoop {
  #now = 1000;
  #timers = new Set<Timer>();
  #wallOffsetMs = 1_700_000_000_000;

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wallOffsetMs + this.#now;
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Somebody sets the machine's time: what is monotonic goes on as before. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** In the real event loop's next turn: turns are not held up. */
  soon = setImmediate;

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Time in which nothing ran: what became due meanwhile runs late, with the next `advance`. */
  skip(ms: number): void {
    this.#now += ms;
  }

  /** Runs what is due, in order, each at its own time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = [...this.#timers]
        .filter((timer) => timer.at <= until)
        .sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = until;
  }
}
