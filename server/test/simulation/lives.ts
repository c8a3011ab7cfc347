import { parentPort, workerData } from "node:worker_threads";
import { simulate } from "./simulation.ts";

/** What many lives, one after the other, came to: they stop at the first that goes wrong. */
export interface Lives {
  wrong: { seed: number; failure: string } | null;
  steps: number;
  seen: Set<string>;
}

// A thread of its own: the hooks of a test runner would double the time.
const { first, runs } = workerData as { first: number; runs: number };
const lives: Lives = { wrong: null, steps: 0, seen: new Set() };
for (let seed = first; seed < first + runs && lives.wrong === null; seed += 1) {
  const { failure, steps, seen } = await simulate(seed);
  if (failure !== null) lives.wrong = { seed, failure };
  lives.steps += steps;
  for (const what of seen) lives.seen.add(what);
}
parentPort?.postMessage(lives);
