import { Random } from "../../server/test/simulation/random.ts";

/** Draws from the distributions of a trace. */
export class TraceRandom extends Random {
  within(least: number, most: number): number {
    return least + (most - least) * this.next();
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  normal(mean: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return mean + sigma * radius * Math.cos(2 * Math.PI * this.next());
  }

  /** Burr XII with shape `c`, `k` and scale `lambda`. */
  burr(c: number, k: number, lambda: number): number {
    return lambda * ((1 - this.next()) ** (-1 / k) - 1) ** (1 / c);
  }
}
