import { gbSecondsOf, isError } from "../../domain/invocation.ts";
import type { Deployment } from "../../records/deployment-dictionary.ts";
import type { InvocationChunk } from "../../records/invocation-chunk.ts";
import { type CallColumns, MICROS_PER_UNIT, callColumns } from "../call-columns.ts";
import type { FunctionTotals } from "./function-totals.ts";
import { SecondsHistogram } from "./seconds-histogram.ts";

/** Adds the records of a chunk to the totals of their functions. Worked out from the columns: no record is made. */
export function countChunk(
  chunk: InvocationChunk,
  totalsOf: (deployment: Deployment) => FunctionTotals,
): void {
  const columns = callColumns(chunk);
  const groups = new Map<number, Group>();
  for (let at = 0; at < chunk.count; at += 1) {
    const number = chunk.startGroupAt(at);
    let group = groups.get(number);
    if (group === undefined) {
      group = groupAt(chunk, at, totalsOf);
      groups.set(number, group);
    }
    count(group, columns, at);
  }
  for (const { totals, key, calls, isError } of groups.values()) {
    totals.invocations.set(key, (totals.invocations.get(key) ?? 0) + calls);
    if (isError) totals.errors += calls;
  }
}

/** The records of one deployment with one outcome and one start kind. */
interface Group {
  totals: FunctionTotals;
  key: string;
  startKind: string;
  isError: boolean;
  memoryMiB: number | null;
  calls: number;
}

function groupAt(
  chunk: InvocationChunk,
  at: number,
  totalsOf: (deployment: Deployment) => FunctionTotals,
): Group {
  const deployment = chunk.deploymentAt(at);
  const outcome = chunk.outcomeAt(at);
  const startKind = chunk.startKindAt(at) ?? "none";
  return {
    totals: totalsOf(deployment),
    key: `${outcome} ${startKind}`,
    startKind,
    isError: isError(outcome),
    memoryMiB: deployment.memoryMiB,
    calls: 0,
  };
}

function count(group: Group, columns: CallColumns, at: number): void {
  const { totals } = group;
  group.calls += 1;
  totals.duration.add((columns.total[at] as number) * MICROS_PER_UNIT);
  totals.queue.add((columns.queue[at] as number) * MICROS_PER_UNIT);
  totals.requestBytes += columns.requestBytes[at] as number;
  totals.responseBytes += columns.responseBytes[at] as number;
  const init = (columns.init[at] as number) * MICROS_PER_UNIT;
  const run = (columns.run[at] as number) * MICROS_PER_UNIT;
  if (!Number.isNaN(init)) countStart(group, init, (columns.start[at] as number) * MICROS_PER_UNIT);
  const [initMs, runMs] = [orZero(init) / 1000, orZero(run) / 1000];
  totals.gbSeconds += gbSecondsOf({ memoryMiB: group.memoryMiB, initMs, runMs }) ?? 0;
  const kill = (columns.kill[at] as number) * MICROS_PER_UNIT;
  if (!Number.isNaN(kill)) {
    totals.kill ??= new SecondsHistogram();
    totals.kill.add(kill);
  }
  totals.cpuMicros += orZero((columns.cpu[at] as number) * MICROS_PER_UNIT);
}

function countStart({ totals, startKind }: Group, initMicros: number, startMicros: number): void {
  totals.init ??= new SecondsHistogram();
  totals.init.add(initMicros);
  const started = totals.start.get(startKind) ?? new SecondsHistogram();
  totals.start.set(startKind, started);
  started.add(initMicros + orZero(startMicros));
}

/** NaN: null in the record. */
function orZero(value: number): number {
  return Number.isNaN(value) ? 0 : value;
}
