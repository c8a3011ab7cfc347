import type { InvocationChunk } from "../records/invocation-chunk.ts";
import { MICROS_PER_UNIT, callColumns } from "./call-columns.ts";
import { addTo, bucketOf, type Histogram } from "./histogram.ts";
import { type InvocationSums, type SeriesMinute, noInvocations } from "./invocation-sums.ts";
import { ANY, type SeriesLabels, keyOf } from "./labels.ts";

export const MINUTE_MS = 60_000;
const MIB_MICROS_PER_GB_SECOND = 1024 * 1_000_000;

/**
 * What the records of chunks come to: sums and histograms for each minute in which calls began, of each function with its revision, driver, outcome and start kind, and of any
 * function. Worked out from the columns: no record is made.
 */
export function minutesOfChunks(chunks: readonly InvocationChunk[]): SeriesMinute[] {
  const exact = merged(chunks.flatMap(minutesOf), (labels) => labels);
  return [...exact, ...merged(exact, ofAnyFunction)];
}

function minutesOf(chunk: InvocationChunk): SeriesMinute[] {
  const exact = new Map<number, Map<number, SeriesMinute>>();
  const columns = columnsOf(chunk);
  let minuteNow = Number.NaN;
  let minutes = new Map<number, SeriesMinute>();
  for (let at = 0; at < chunk.count; at += 1) {
    const minute = Math.floor(chunk.startedAt(at) / MINUTE_MS);
    if (minute !== minuteNow) {
      minuteNow = minute;
      minutes = exact.get(minute) ?? new Map();
      exact.set(minute, minutes);
    }
    const group = chunk.startGroupAt(at);
    let one = minutes.get(group);
    if (one === undefined) {
      one = { minute, labels: labelsAt(chunk, at), ...noInvocations() };
      minutes.set(group, one);
    }
    count(one, columns, at);
  }
  return [...exact.values()].flatMap((each) => [...each.values()]);
}

type Columns = ReturnType<typeof columnsOf>;

function columnsOf(chunk: InvocationChunk) {
  const memory = Float64Array.from({ length: chunk.count }, (_, at) => {
    return chunk.deploymentAt(at).memoryMiB ?? 0;
  });
  return { memory, ...callColumns(chunk) };
}

/** Nothing is looked up that most calls do not have. */
function count({ sums, histograms }: SeriesMinute, columns: Columns, at: number): void {
  const total = (columns.total[at] as number) * MICROS_PER_UNIT;
  const queue = (columns.queue[at] as number) * MICROS_PER_UNIT;
  const run = (columns.run[at] as number) * MICROS_PER_UNIT;
  const init = (columns.init[at] as number) * MICROS_PER_UNIT;
  const hasInit = !Number.isNaN(init);
  const ranMicros = (hasInit ? init : 0) + (Number.isNaN(run) ? 0 : run);
  sums.invocations += 1;
  sums.durationMicros += total;
  sums.queueMicros += queue;
  sums.requestBytes += columns.requestBytes[at] as number;
  sums.responseBytes += columns.responseBytes[at] as number;
  sums.gbSeconds += ((columns.memory[at] as number) * ranMicros) / MIB_MICROS_PER_GB_SECOND;
  if (!Number.isNaN(run)) {
    sums.runs += 1;
    sums.runMicros += run;
  }
  addTo(histograms.duration, bucketOf(total), 1);
  addTo(histograms.queue, bucketOf(queue), 1);
  if (hasInit) countStart(sums, histograms, { init, start: columns.start[at] as number });
  const kill = (columns.kill[at] as number) * MICROS_PER_UNIT;
  if (!Number.isNaN(kill)) {
    sums.kills += 1;
    sums.killMicros += kill;
    addTo(histograms.kill, bucketOf(kill), 1);
  }
  const cpu = columns.cpu[at] as number;
  if (!Number.isNaN(cpu)) {
    sums.cpuKnown += 1;
    sums.cpuMicros += cpu * MICROS_PER_UNIT;
  }
}

function countStart(
  sums: InvocationSums,
  histograms: Record<"init" | "start", Histogram>,
  phases: { init: number; start: number },
): void {
  const { init } = phases;
  const start = init + (Number.isNaN(phases.start) ? 0 : phases.start * MICROS_PER_UNIT);
  sums.inits += 1;
  sums.initMicros += init;
  sums.startMicros += start;
  addTo(histograms.init, bucketOf(init), 1);
  addTo(histograms.start, bucketOf(start), 1);
}

function labelsAt(chunk: InvocationChunk, at: number): SeriesLabels {
  const { project, functionName, functionId, revision, driver } = chunk.deploymentAt(at);
  const outcome = chunk.outcomeAt(at);
  const startKind = chunk.startKindAt(at) ?? "none";
  return { project, functionName, functionId, revision, driver, outcome, startKind };
}

/** So that what is asked of all functions is not added up from thousands. */
function ofAnyFunction(labels: SeriesLabels): SeriesLabels {
  return { ...labels, functionName: ANY, functionId: ANY, revision: 0 };
}

/** Those that have the same labels then, as one. */
function merged(
  minutes: readonly SeriesMinute[],
  relabel: (labels: SeriesLabels) => SeriesLabels,
): SeriesMinute[] {
  const byKey = new Map<string, SeriesMinute>();
  for (const one of minutes) {
    const labels = relabel(one.labels);
    const key = `${one.minute} ${keyOf(labels)}`;
    const into = byKey.get(key) ?? { minute: one.minute, labels, ...noInvocations() };
    byKey.set(key, into);
    for (const name of Object.keys(one.sums) as (keyof InvocationSums)[])
      into.sums[name] += one.sums[name];
    for (const [name, histogram] of Object.entries(one.histograms))
      for (const [bucket, times] of histogram)
        addTo(into.histograms[name as keyof typeof into.histograms], bucket, times);
  }
  return [...byKey.values()];
}
