import { idCounter, idParts } from "../domain/ids.ts";

export interface IdColumns {
  /** What the ids of one source have in common. */
  common: { prefix: string; boot: string };
  times: Float64Array;
  counters: Float64Array;
}

/** Ids as numbers; null where not all are of one source. */
export function idColumns(ids: readonly string[], count: number): IdColumns | null {
  const first = idParts(ids[0] as string);
  if (first === null) return null;
  const { prefix, boot } = first;
  const times = new Float64Array(count);
  const counters = new Float64Array(count);
  let { start, time } = first;
  for (let at = 0; at < count; at += 1) {
    const id = ids[at] as string;
    if (!id.startsWith(start)) {
      const parts = idParts(id);
      if (parts === null || parts.boot !== boot || parts.prefix !== prefix) return null;
      ({ start, time } = parts);
    }
    const counter = idCounter(id, start.length);
    if (counter === null) return null;
    times[at] = time;
    counters[at] = counter;
  }
  return { common: { prefix, boot }, times, counters };
}
