import { numberUnits } from "../records/chunk-layout.ts";
import type { InvocationChunk } from "../records/invocation-chunk.ts";

/** Of the times in these columns; whole numbers of us add up exactly. */
export const MICROS_PER_UNIT = 1000 / numberUnits.totalMs;

export type CallColumns = ReturnType<typeof callColumns>;

/** What is counted of each call, as it is kept: NaN for what did not take place. */
export function callColumns(chunk: InvocationChunk) {
  return {
    total: chunk.column("totalMs"),
    queue: chunk.column("queueMs"),
    start: chunk.column("startMs"),
    init: chunk.column("initMs"),
    run: chunk.column("runMs"),
    kill: chunk.column("killMs"),
    cpu: chunk.column("cpuMs"),
    requestBytes: chunk.column("requestBytes"),
    responseBytes: chunk.column("responseBytes"),
  };
}
