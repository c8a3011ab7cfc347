import type { Histogram } from "./histogram.ts";
import type { SeriesLabels } from "./labels.ts";

/** What is added up of invocations. Times are us. */
export interface InvocationSums {
  invocations: number;
  durationMicros: number;
  queueMicros: number;
  /** Those that reached their code, and its time. */
  runs: number;
  runMicros: number;
  /** Those for which code was loaded, with the time of that, and of the start of the sandbox before it. */
  inits: number;
  initMicros: number;
  startMicros: number;
  requestBytes: number;
  responseBytes: number;
  gbSeconds: number;
  /** Those whose sandbox was killed and seen to be gone. */
  kills: number;
  killMicros: number;
  /** Those whose CPU time is known. */
  cpuKnown: number;
  cpuMicros: number;
}

/** Distributions that are kept as histograms, by the number they have in the store. */
export const distributions = { duration: 0, queue: 1, init: 2, start: 3, kill: 4 } as const;
export type Distribution = keyof typeof distributions;

/** One series in one minute. */
export interface SeriesMinute {
  /** Of Unix time. */
  minute: number;
  labels: SeriesLabels;
  sums: InvocationSums;
  histograms: Record<Distribution, Histogram>;
}

export function noSums(): InvocationSums {
  return {
    ...{ invocations: 0, durationMicros: 0, queueMicros: 0, runs: 0, runMicros: 0 },
    ...{ inits: 0, initMicros: 0, startMicros: 0, requestBytes: 0, responseBytes: 0 },
    ...{ gbSeconds: 0, kills: 0, killMicros: 0, cpuKnown: 0, cpuMicros: 0 },
  };
}

export function noInvocations(): Pick<SeriesMinute, "sums" | "histograms"> {
  const histograms = {
    ...{ duration: new Map(), queue: new Map(), init: new Map() },
    ...{ start: new Map(), kill: new Map() },
  };
  return { sums: noSums(), histograms };
}
