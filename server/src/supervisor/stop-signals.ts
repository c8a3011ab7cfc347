type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

const exitCodes: Record<StopSignal, number> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

export interface StopSignals {
  /** Resolves with the first signal. */
  first: Promise<StopSignal>;
  /** Resolves with the exit code of a second one that was meant as such. */
  second: Promise<number>;
  close(): void;
}

/**
 * One press of Ctrl-C may arrive several times: from the terminal, which signals the whole group, and again from npm and other parents that pass it on. Signals
 * within `repeatMs` of the first are the same wish.
 */
export function watchStopSignals(repeatMs: number): StopSignals {
  const first = Promise.withResolvers<StopSignal>();
  const second = Promise.withResolvers<number>();
  let firstAt: number | null = null;
  function onSignal(signal: StopSignal): void {
    const now = performance.now();
    if (firstAt === null) {
      firstAt = now;
      first.resolve(signal);
    } else if (now - firstAt > repeatMs) {
      second.resolve(exitCodes[signal]);
    }
  }
  const signals = Object.keys(exitCodes) as StopSignal[];
  for (const signal of signals) process.on(signal, onSignal);
  return {
    first: first.promise,
    second: second.promise,
    close() {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
