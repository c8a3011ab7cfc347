import { settingLimits } from "../../server/src/domain/limits.ts";
import { TraceRandom } from "./trace-random.ts";

/** One function of a trace. Times in ms from the beginning. */
export interface TracedFunction {
  kind: "timer" | "poisson" | "bursty";
  memoryMiB: number;
  initMs: number;
  /** Ascending. */
  arrivals: Float64Array;
  /** Run time of each call. */
  runs: Float32Array;
}

export interface TraceOptions {
  seed: number;
  functions: number;
  hours: number;
  /** Calls of one function per second, at most on average: what is called more often is warm whatever the policy. */
  rateMax: number;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/**
 * Shahrad et al., ATC'20: 45 % of applications are called at most once an hour on average, 81 % at most once a minute. Log-normal through these two points, as a
 * power of ten of calls per day.
 */
const RATE = { mean: 1.603, sigma: 1.772 };
const TIMER_SHARE = 0.29;
const BURSTY_SHARE = 0.35;
/** Periods that people write into crontabs, in minutes. */
const PERIODS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440];
/** Their execution times, in seconds (log-normal), and memory, in MB (Burr XII). */
const RUN = { mean: -0.38, sigma: 2.36, most: 120 };
const MEMORY = { c: 11.652, k: 0.221, lambda: 107.083 };
/** Not published: half of the functions load within 0.4 s, some take many seconds. */
const INIT = { mean: -0.9, sigma: 1, most: 20 };

/** A trace with the published marginals of Azure Functions; same seed, same trace. */
export function makeTrace(options: TraceOptions): TracedFunction[] {
  const random = new TraceRandom(options.seed);
  return Array.from({ length: options.functions }, () => makeFunction(random, options));
}

function makeFunction(random: TraceRandom, { hours, rateMax }: TraceOptions): TracedFunction {
  const untilMs = hours * 3_600_000;
  const perDay = Math.min(10 ** random.normal(RATE.mean, RATE.sigma), rateMax * 86_400);
  const draw = random.next();
  const kind = draw < TIMER_SHARE ? "timer" : draw < 1 - BURSTY_SHARE ? "poisson" : "bursty";
  const arrivals = arrivalsOf[kind](random, DAY_MS / perDay, untilMs);
  const runMean = random.normal(RUN.mean, RUN.sigma);
  const runs = Float32Array.from(arrivals, () =>
    Math.min(RUN.most * 1000, 1000 * Math.exp(random.normal(runMean, 0.3))),
  );
  const { least, most } = settingLimits.memoryMiB;
  const memory = Math.round(random.burr(MEMORY.c, MEMORY.k, MEMORY.lambda));
  const initMs = 1000 * Math.min(INIT.most, Math.exp(random.normal(INIT.mean, INIT.sigma)));
  const memoryMiB = Math.min(most, Math.max(least, memory));
  return { kind, memoryMiB, initMs, arrivals: Float64Array.from(arrivals), runs };
}

type Arrivals = (random: TraceRandom, meanGapMs: number, untilMs: number) => number[];

const arrivalsOf: Record<TracedFunction["kind"], Arrivals> = {
  /** At the same distance always, up to two seconds late. */
  timer: (random, meanGapMs, untilMs) => {
    const minutes = PERIODS.reduce((best, period) =>
      distance(period, meanGapMs) < distance(best, meanGapMs) ? period : best,
    );
    const times: number[] = [];
    const first = random.within(0, minutes * MINUTE_MS);
    for (let at = first; at < untilMs; at += minutes * MINUTE_MS)
      times.push(at + random.within(0, 2000));
    return times;
  },
  poisson: (random, meanGapMs, untilMs) => diurnal(random, meanGapMs, untilMs),
  /** Bursts, as a Poisson process, of calls that follow each other within seconds. */
  bursty: (random, meanGapMs, untilMs) => {
    const burstMean = 1 + random.exponential(9);
    const gapMs = Math.min(random.within(500, 30_000), meanGapMs);
    const times: number[] = [];
    for (const start of diurnal(random, meanGapMs * burstMean, untilMs)) {
      let at = start;
      do {
        times.push(at);
        at += random.exponential(gapMs);
      } while (at < untilMs && random.next() > 1 / burstMean);
    }
    return times.sort((a, b) => a - b);
  },
};

function distance(periodMinutes: number, meanGapMs: number): number {
  return Math.abs(Math.log((periodMinutes * MINUTE_MS) / meanGapMs));
}

/** A Poisson process whose rate follows the day: between a third and five thirds of its mean, with a phase of its own. */
function diurnal(random: TraceRandom, meanGapMs: number, untilMs: number): number[] {
  const swing = 2 / 3;
  const phase = random.within(0, 2 * Math.PI);
  const times: number[] = [];
  let at = random.exponential(meanGapMs / (1 + swing));
  while (at < untilMs) {
    const share = 1 + swing * Math.sin((2 * Math.PI * at) / DAY_MS + phase);
    if (random.next() * (1 + swing) < share) times.push(at);
    at += random.exponential(meanGapMs / (1 + swing));
  }
  return times;
}
