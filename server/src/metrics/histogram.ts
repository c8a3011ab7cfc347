/**
 * Log-bucket histograms: each bucket is wider than the one before by 2 %, so that the middle of the bucket that a value falls into is less than 1 % from it, whatever the
 * value. Histograms of the same kind are merged by adding the counts of each bucket, which is what the store does.
 */
const GAMMA = 1.02;
const LOG_GAMMA = Math.log(GAMMA);
/** What a bucket is at most: 24 days in us. */
export const BUCKET_MAX = 1450;

/** Bucket 0 has what is below 1 us; bucket `b` what is from `GAMMA ** (b - 1)` to below `GAMMA ** b`. */
export function bucketOf(micros: number): number {
  if (micros < 1) return 0;
  return Math.min(BUCKET_MAX, 1 + Math.floor(Math.log(micros) / LOG_GAMMA));
}

/** The middle of a bucket. */
export function microsOf(bucket: number): number {
  return bucket === 0 ? 0 : (2 * GAMMA ** bucket) / (GAMMA + 1);
}

/** Counts by bucket. */
export type Histogram = Map<number, number>;

export function addTo(histogram: Histogram, bucket: number, count: number): void {
  histogram.set(bucket, (histogram.get(bucket) ?? 0) + count);
}

/** For each of `ranks` (0.95: the least value that 95 % are not above; ascending) the value in us; null where nothing was counted. */
export function quantilesOf(histogram: Histogram, ranks: readonly number[]): (number | null)[] {
  const sorted = [...histogram].toSorted(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return ranks.map(() => null);
  let at = 0;
  let seen = sorted[0]?.[1] ?? 0;
  return ranks.map((rank) => {
    const wanted = Math.max(1, Math.ceil(rank * total));
    while (seen < wanted && at < sorted.length - 1) {
      at += 1;
      seen += sorted[at]?.[1] ?? 0;
    }
    return microsOf(sorted[at]?.[0] ?? 0);
  });
}
