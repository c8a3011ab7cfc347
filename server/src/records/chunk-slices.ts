import type { InvocationChunk } from "./invocation-chunk.ts";

/** Of a slice: whatever the function, or the outcome. */
export const ANY = "";

/** What a chunk holds of one function (or any) with one outcome (or any), so that a list finds the chunks it needs. */
export interface Slice {
  project: string;
  functionName: string;
  outcome: string;
  firstAt: number;
  lastAt: number;
  records: number;
}

/** Each record counts in four: of its function or any, with its outcome or any. */
export function slicesOf(chunk: InvocationChunk): Slice[] {
  const slices = new Map<string, Slice>();
  for (const exact of exactSlices(chunk))
    for (const functionName of [exact.functionName, ANY])
      for (const outcome of [exact.outcome, ANY])
        merge(slices, { ...exact, functionName, outcome });
  return [...slices.values()];
}

function exactSlices(chunk: InvocationChunk): Iterable<Slice> {
  const slices = new Map<number, Slice>();
  for (let at = 0; at < chunk.count; at += 1) {
    const group = chunk.groupAt(at);
    const startedAt = chunk.startedAt(at);
    const slice = slices.get(group);
    if (slice === undefined) slices.set(group, sliceOfOne(chunk, at));
    else {
      if (startedAt < slice.firstAt) slice.firstAt = startedAt;
      if (startedAt > slice.lastAt) slice.lastAt = startedAt;
      slice.records += 1;
    }
  }
  return slices.values();
}

function sliceOfOne(chunk: InvocationChunk, at: number): Slice {
  const { project, functionName } = chunk.deploymentAt(at);
  const startedAt = chunk.startedAt(at);
  const outcome = chunk.outcomeAt(at);
  return { project, functionName, outcome, firstAt: startedAt, lastAt: startedAt, records: 1 };
}

function merge(slices: Map<string, Slice>, slice: Slice): void {
  const key = JSON.stringify([slice.project, slice.functionName, slice.outcome]);
  const known = slices.get(key);
  if (known === undefined) {
    slices.set(key, slice);
    return;
  }
  known.firstAt = Math.min(known.firstAt, slice.firstAt);
  known.lastAt = Math.max(known.lastAt, slice.lastAt);
  known.records += slice.records;
}
