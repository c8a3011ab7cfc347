import { KeepAlive } from "../../server/src/pool/keep-alive/keep-alive.ts";
import { type KeepWindow, keptFor } from "../../server/src/pool/keep-alive/keep-window.ts";
import { MINUTES_MAX, ReuseTimes } from "../../server/src/pool/keep-alive/reuse-times.ts";
import type { TracedFunction } from "./trace.ts";

/** How long one function's sandboxes are kept. `rises` and `falls` are those of `ReuseTimes`. */
export interface KeepPolicy {
  rises(level: number, nowMs: number): void;
  falls(level: number, nowMs: number): void;
  window(): KeepWindow;
}

const MINUTE_MS = 60_000;

export function fixed(minutes: number): () => KeepPolicy {
  const window = keptFor(minutes * MINUTE_MS);
  return () => ({ rises() {}, falls() {}, window: () => window });
}

/** What `idleTimeoutMs: auto` does, by the gateway's own code, at a price of memory. */
export function auto(minutePrice: number): (fn: TracedFunction) => KeepPolicy {
  return (fn) => {
    const keepAlive = new KeepAlive(minutePrice);
    return {
      rises: (level, nowMs) => keepAlive.times.rises(level, nowMs),
      falls: (level, nowMs) => keepAlive.times.falls(level, nowMs),
      window: () => keepAlive.window(fn.memoryMiB),
    };
  };
}

const SAMPLES_LEAST = 10;
const SPREAD_LEAST = 2;
const MARGIN = 0.1;
const STANDARD = keptFor(MINUTES_MAX * MINUTE_MS);
const SHORT = keptFor(10 * MINUTE_MS);

/**
 * The hybrid histogram of Shahrad et al., ATC'20, for comparison: from the 5th to the 99th percentile of the idle times between calls, with margins of 10 %; four
 * hours where there are too few or they are spread too evenly; ten minutes, in the place of their time series, where most are longer than the histogram.
 */
export function percentiles(): KeepPolicy {
  const times = new ReuseTimes();
  let window = STANDARD;
  let staleAt = 0;
  return {
    rises: (level, nowMs) => {
      if (level === 1) times.rises(level, nowMs);
    },
    falls: (level, nowMs) => {
      if (level === 1) times.falls(level, nowMs);
    },
    window: () => {
      if (times.noted < staleAt) return window;
      staleAt = times.noted + 1 + (times.noted >> 4);
      window = percentileWindow(times.bins);
      return window;
    },
  };
}

function percentileWindow(bins: Uint16Array): KeepWindow {
  const beyond = bins[MINUTES_MAX] as number;
  const inside = bins.subarray(0, MINUTES_MAX);
  const count = inside.reduce((sum, bin) => sum + bin, 0);
  if (count + beyond < SAMPLES_LEAST) return STANDARD;
  if (beyond > count) return SHORT;
  const mean = count / MINUTES_MAX;
  const variance = inside.reduce((sum, bin) => sum + (bin - mean) ** 2, 0) / MINUTES_MAX;
  if (Math.sqrt(variance) / mean < SPREAD_LEAST) return STANDARD;
  const fromMs = percentileMinute(inside, count * 0.05) * MINUTE_MS * (1 - MARGIN);
  const toMs = (percentileMinute(inside, count * 0.99) + 1) * MINUTE_MS * (1 + MARGIN);
  if (fromMs === 0) return keptFor(toMs);
  return { keepMs: 0, prewarmMs: fromMs, prewarmKeepMs: toMs - fromMs };
}

function percentileMinute(bins: Uint16Array, below: number): number {
  let sum = 0;
  return bins.findIndex((bin) => {
    sum += bin;
    return bin > 0 && sum >= below;
  });
}
