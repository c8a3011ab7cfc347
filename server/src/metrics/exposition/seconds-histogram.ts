/** Upper bounds of the buckets of all histograms, in seconds; above the last there is `+Inf`. */
export const secondsBounds = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 900] as const;
const microsBounds = Float64Array.from(secondsBounds, (seconds) => seconds * 1e6);

/** Durations by bucket, exactly. What is added only grows. */
export class SecondsHistogram {
  /** Of each bucket alone, the last without a bound. */
  readonly counts = new Float64Array(microsBounds.length + 1);
  sumMicros = 0;

  /** A bound belongs to its bucket, as `le` says. */
  add(micros: number): void {
    let at = 0;
    while (at < microsBounds.length && micros > (microsBounds[at] as number)) at += 1;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.sumMicros += micros;
  }
}
