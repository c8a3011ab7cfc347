import { setTimeout as delay } from "node:timers/promises";
import {
  type ComparisonParameters,
  type FigureName,
  type MixName,
  WARMUP_SHARE,
  type Workload,
} from "../domain/comparison.ts";
import { type DeployedFunction, takesBlanks } from "../domain/function.ts";
import { MiB } from "../domain/limits.ts";
import { IsolaError } from "../errors.ts";
import type { TrialUsage } from "../link/trial-messages.ts";
import { type Call, eventCall } from "./call-bytes.ts";
import { type Measured, OpenTrial, type TrialWork } from "./open-trial.ts";
import { spreadOf } from "./statistics.ts";

/** What one round tells of one figure: its value, or why there is none. */
export interface RoundValue {
  workload: Workload;
  name: FigureName;
  value: number | null;
  missing: string | null;
}

export interface RoundGiven extends TrialWork {
  /** Of the comparison; ids of trials are made of it. */
  id: string;
  /** On the driver that is measured. */
  fn: DeployedFunction;
  probe: DeployedFunction;
  call: Call;
  parameters: Pick<
    ComparisonParameters,
    "durationMs" | "coldStarts" | "connections" | "starts" | "mixes"
  >;
  onStep(text: string): void;
}

/** After its answer a sandbox is frozen, and what it gives back it has given back. */
const SETTLE_MS = 250;

/** Steps of a round, as `onStep` tells them. */
export function stepsOf(mixes: readonly MixName[]): number {
  return 5 + mixes.length;
}

/** Measures everything once on one driver. Rejects with `LoadFailure` where the function does not answer. */
export async function measureRound(given: RoundGiven): Promise<RoundValue[]> {
  const ofFunction = await withTrial(given, given.fn, given.call.kind, (trial) =>
    measureFunction(given, trial),
  );
  if (given.parameters.mixes.length === 0) return ofFunction;
  const ofMixes = await withTrial(given, given.probe, "event", (trial) =>
    measureMixes(given, trial),
  );
  return [...ofFunction, ...ofMixes];
}

/** Whatever happens, nothing of the trial is left. */
async function withTrial<T>(
  given: RoundGiven,
  fn: DeployedFunction,
  kind: Call["kind"],
  work: (trial: OpenTrial) => Promise<T>,
): Promise<T> {
  const trial = await OpenTrial.open(given, { id: given.id, fn, kind });
  try {
    return await work(trial);
  } finally {
    await trial.close();
  }
}

async function measureFunction(given: RoundGiven, trial: OpenTrial): Promise<RoundValue[]> {
  const { call, parameters, onStep } = given;
  const times = timesOf(parameters.durationMs);
  onStep("first calls, no sandbox there");
  const fresh = await coldCalls(given, trial, "fresh");
  await delay(SETTLE_MS, undefined, { signal: given.signal });
  const idle = meanMemoryMiB(await trial.usage());
  onStep("first calls, a blank sandbox there");
  const blank = await blankCalls(given, trial);
  onStep("warm, one connection");
  await trial.renew();
  await trial.once(call);
  const warm = await trial.measure(call, { ...times, connections: 1 });
  onStep(`${startsOf(given)} sandboxes started at once`);
  const starts = await startSandboxes(given, trial);
  onStep(`warm, ${parameters.connections} connections`);
  const busy = await trial.measure(call, { ...times, connections: parameters.connections });
  return [
    valueOf("function", "coldFresh", fresh),
    blank,
    valueOf("function", "warmP50", warm.load.p50Ms),
    valueOf("function", "warmP99", warm.load.p99Ms),
    valueOf("function", "callsPerSecond", busy.load.calls / busy.load.seconds),
    cpuPerCall("function", busy),
    valueOf("function", "gatewayCpuPerCall", gatewayMicros(busy) / busy.load.calls),
    memoryValue("idleMemory", idle),
    memoryValue("busyMemory", mostMemoryMiB(busy)),
    starts,
  ];
}

async function coldCalls(
  { call, parameters }: RoundGiven,
  trial: OpenTrial,
  from: "fresh" | "blank",
): Promise<number> {
  const samples: number[] = [];
  while (samples.length < parameters.coldStarts) samples.push(await trial.cold(call, from));
  return spreadOf(samples).median;
}

async function blankCalls(given: RoundGiven, trial: OpenTrial): Promise<RoundValue> {
  const name = "coldBlank";
  if (takesBlanks(given.fn.settings))
    return valueOf("function", name, await coldCalls(given, trial, "blank"));
  const missing = "functions with tmpMiB of their own or a network start from no blank sandbox";
  return { workload: "function", name, value: null, missing };
}

function startsOf({ fn, parameters }: RoundGiven): number {
  return Math.min(parameters.starts, fn.settings.maxSandboxes);
}

/** Leaves as many sandboxes as all connections need, so that none is started while the load is measured. */
async function startSandboxes(given: RoundGiven, trial: OpenTrial): Promise<RoundValue> {
  const name = "startsPerSecond";
  const starts = startsOf(given);
  const needed = Math.ceil(given.parameters.connections / given.fn.settings.concurrency);
  try {
    const { seconds } = await trial.startMany(starts);
    if (needed < starts) await trial.startMany(needed);
    return valueOf("function", name, starts / seconds);
  } catch (error) {
    if (!(error instanceof IsolaError) || error.code !== "sandbox_start_failed") throw error;
    await trial.renew();
    return { workload: "function", name, value: null, missing: error.message };
  }
}

async function measureMixes(
  { parameters, onStep }: RoundGiven,
  trial: OpenTrial,
): Promise<RoundValue[]> {
  const values: RoundValue[] = [];
  for (const mix of parameters.mixes) {
    onStep(`mix ${mix}`);
    const call = eventCall({ mix });
    await trial.once(call);
    const times = { ...timesOf(parameters.durationMs), connections: 1 };
    const measured = await trial.measure(call, times);
    values.push(
      valueOf(mix, "warmP50", measured.load.p50Ms),
      valueOf(mix, "warmP99", measured.load.p99Ms),
      cpuPerCall(mix, measured),
    );
  }
  return values;
}

function timesOf(durationMs: number) {
  return { durationMs, warmupMs: Math.ceil(durationMs * WARMUP_SHARE) };
}

function valueOf(workload: Workload, name: FigureName, value: number): RoundValue {
  return { workload, name, value, missing: null };
}

/** Of the sandboxes that were there before and after; what came or went in between would be counted in part. */
export function cpuPerCall(
  workload: Workload,
  { load, before, after }: Pick<Measured, "load" | "before" | "after">,
): RoundValue {
  const name = "cpuPerCall";
  const without = (missing: string) => ({ workload, name, value: null, missing }) as const;
  const then = new Map(before.sandboxes.map((each) => [each.id, each.cpuMicros]));
  if (after.sandboxes.length === 0) return without("no sandbox outlives its call");
  let micros = 0;
  for (const { id, cpuMicros } of after.sandboxes) {
    const earlier = then.get(id);
    if (cpuMicros === null || earlier === null)
      return without("this driver does not count CPU here; isola doctor says why");
    if (earlier === undefined) return without("sandboxes came or went while it was measured");
    micros += cpuMicros - earlier;
    then.delete(id);
  }
  if (then.size > 0) return without("sandboxes came or went while it was measured");
  return valueOf(workload, name, micros / load.calls);
}

function gatewayMicros({ before, after }: Measured): number {
  return after.gatewayCpuMicros - before.gatewayCpuMicros;
}

/** null: nothing is known of any sandbox. */
function meanMemoryMiB({ sandboxes }: TrialUsage): number | null {
  const known = sandboxes.map(({ memoryBytes }) => memoryBytes).filter((bytes) => bytes !== null);
  if (known.length === 0) return null;
  return known.reduce((sum, bytes) => sum + bytes, 0) / known.length / MiB;
}

function mostMemoryMiB({ before, during, after }: Measured): number | null {
  const means = [before, ...during, after].map(meanMemoryMiB).filter((mean) => mean !== null);
  return means.length === 0 ? null : Math.max(...means);
}

function memoryValue(name: "idleMemory" | "busyMemory", value: number | null): RoundValue {
  const missing = value === null ? "this driver does not tell memory here" : null;
  return { workload: "function", name, value, missing };
}
