import type { ComparisonParameters, DriverResult } from "../domain/comparison.ts";
import type { DeployedFunction } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import type { Call } from "./call-bytes.ts";
import { densityOf, figuresOf } from "./figures.ts";
import { LoadFailure } from "./load-process.ts";
import type { TrialWork } from "./open-trial.ts";
import { type RoundValue, measureRound, stepsOf } from "./round.ts";
import { onDriver } from "./trial-function.ts";

export interface RunGiven extends TrialWork {
  id: string;
  fn: DeployedFunction;
  probe: DeployedFunction;
  call: Call;
  parameters: ComparisonParameters;
  memoryBudgetMiB: number;
  /** Those in state `waiting` are measured; all of them come back, in this order. */
  drivers: readonly DriverResult[];
  onProgress(progress: Progress): void;
}

export interface Progress {
  /** What runs now, for people. */
  phase: string;
  percent: number;
}

/** Of a start or an answer: the fault of the function, or of its driver. */
const ofDriver: ReadonlySet<string> = new Set([
  "driver_unavailable",
  "sandbox_start_failed",
  "init_failed",
  "init_timeout",
  "out_of_memory",
]);

/**
 * Measures one round on each driver in turn, and again, so that what else happens on the machine meets all of them alike. A driver on which the function does not run
 * is left out of further rounds. Rejects where the platform fails, and with `cancelled`.
 */
export async function runComparison(given: RunGiven): Promise<DriverResult[]> {
  const results = given.drivers.map((result) => ({ ...result }));
  const rounds = new Map<DriverResult, RoundValue[][]>();
  const progress = progressOf(given);
  for (let repeat = 1; repeat <= given.parameters.repeats; repeat += 1)
    for (const result of results) {
      if (result.state !== "waiting") continue;
      const { driver } = result;
      const told = rounds.get(result) ?? [];
      rounds.set(result, told);
      try {
        const fn = onDriver(given.fn, driver, given.id);
        const probe = onDriver(given.probe, driver, given.id);
        const onStep = (text: string) => progress.step(repeat, driver, text);
        told.push(await measureRound({ ...given, fn, probe, onStep }));
      } catch (error) {
        result.reason = ownFailure(error, given.signal);
        result.state = "failed";
        progress.roundsDone(given.parameters.repeats - repeat);
      }
      progress.roundsDone(1);
    }
  for (const result of results) finish(given, result, rounds.get(result) ?? []);
  return results;
}

function finish(given: RunGiven, result: DriverResult, rounds: RoundValue[][]): void {
  // A driver that failed in a later round has no figures that could be compared.
  if (result.state !== "waiting") return;
  result.state = "measured";
  result.figures = figuresOf(rounds, given.parameters.mixes);
  const settings = { ...given.fn.settings, driver: result.driver };
  result.density = densityOf(settings, given.memoryBudgetMiB, result.figures);
}

/** In words; throws what is not of this driver alone. */
function ownFailure(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) throw new IsolaError("cancelled", "it was cancelled");
  if (error instanceof LoadFailure) return error.message;
  if (error instanceof IsolaError && ofDriver.has(error.code)) return error.message;
  throw error;
}

function progressOf({ drivers, parameters, onProgress }: RunGiven) {
  const measured = drivers.filter(({ state }) => state === "waiting").length;
  const perRound = stepsOf(parameters.mixes);
  const all = parameters.repeats * measured * perRound;
  let roundsDone = 0;
  let step = 0;
  return {
    step(repeat: number, driver: string, text: string) {
      const done = roundsDone * perRound + step;
      step += 1;
      const phase = `round ${repeat} of ${parameters.repeats}, ${driver}: ${text}`;
      onProgress({ phase, percent: Math.min(99, Math.floor((100 * done) / all)) });
    },
    roundsDone(count: number) {
      roundsDone += count;
      step = 0;
    },
  };
}
