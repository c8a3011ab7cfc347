import assert from "node:assert/strict";

/** The smallest sample that at least `percent` of all samples do not exceed (nearest rank). `sorted` ascends and is not empty. */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  assert(sorted.length > 0 && percent > 0 && percent <= 100);
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.max(rank, 1) - 1] as number;
}

export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** Least, middle and greatest of at least one value; the median of an even count is the mean of the two in the middle. */
export function spreadOf(values: readonly number[]): Spread {
  assert(values.length > 0);
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  return { min: sorted[0] as number, median, max: sorted.at(-1) as number };
}

export interface Distribution {
  count: number;
  min: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

export function distributionOf(samples: readonly number[] | Float64Array): Distribution {
  const sorted = Float64Array.from(samples).sort();
  return {
    count: sorted.length,
    min: sorted[0] as number,
    p50: percentile(sorted, 50),
    p90: percentile(sorted, 90),
    p99: percentile(sorted, 99),
    max: sorted[sorted.length - 1] as number,
  };
}
