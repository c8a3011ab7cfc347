/** Time as an argument, so that it can be simulated. */
export interface Clock {
  /** Monotonic, ms with fractions; wall-clock jumps do not change it. */
  now(): number;
  /** Unix time in ms. */
  wall(): number;
  /** Runs once after `delayMs`; the returned function cancels, also after it ran. */
  after(delayMs: number, run: () => void): () => void;
}

/** Time and the turns of the event loop as an argument, for what also does things "later in this turn". */
export interface EventLoop extends Clock {
  /** Runs once, when the current turn's work is done. */
  soon(run: () => void): unknown;
}

export const systemClock: EventLoop = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  soon: setImmediate,
};
