const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** A Ctrl-C reaches this process more than once: from the terminal, and from whatever has started it and passes it on. */
const REPEAT_MS = 500;

export interface StopWishes {
  /** Aborted by the first. */
  signal: AbortSignal;
  /** Called when somebody is tired of waiting. */
  onSecond(act: () => void): void;
  close(): void;
}

/** Ctrl-C and its like while something has to be ended in order, beside `signal`, which is the same wish. */
export function watchStop(signal: AbortSignal): StopWishes {
  const first = new AbortController();
  let firstAt: number | null = null;
  let second = () => {};
  const onSignal = () => {
    const now = performance.now();
    firstAt ??= now;
    first.abort();
    if (now - firstAt > REPEAT_MS) second();
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: AbortSignal.any([first.signal, signal]),
    onSecond(act) {
      second = act;
    },
    close() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
