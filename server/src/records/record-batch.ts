import type { PlatformEvent } from "../domain/events.ts";
import type { GatewaySample } from "../domain/gateway-sample.ts";
import type { LogRecord } from "../domain/invocation.ts";

/** What happened, on its way into the store. The same batch may come more than once and is stored once. */
export interface RecordBatch {
  /** Of the buffer that made it: another for every life of a gateway. */
  source: string;
  /** Counts the batches of the source, from 1. */
  batch: number;
  /** A chunk; null: none. */
  invocations: Uint8Array | null;
  logs: LogRecord[];
  /** Left out: none. */
  events?: PlatformEvent[];
  /** What the gateway measured; left out: nothing. */
  samples?: GatewaySample[];
  /** Records that had to be dropped since the batch before; left out: none. */
  lost?: number;
}
