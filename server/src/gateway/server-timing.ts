import type { LeasePhases } from "../pool/queue.ts";

/** To the hundredth. */
export function roundMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** Where the time of a call went so far: the value of `server-timing`, in ms. */
export function serverTiming({ queueMs, startMs, initMs }: LeasePhases, runMs: number | null) {
  let text = `queue;dur=${roundMs(queueMs)}`;
  if (startMs !== null) text += `, start;dur=${roundMs(startMs)}`;
  if (initMs !== null) text += `, init;dur=${roundMs(initMs)}`;
  if (runMs !== null) text += `, run;dur=${roundMs(runMs)}`;
  return text;
}
