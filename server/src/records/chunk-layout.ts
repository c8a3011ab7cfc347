import type { InvocationRecord } from "../domain/invocation.ts";
import type { Deployment } from "./deployment-dictionary.ts";
import type { CallTrace } from "../domain/trace.ts";
import type { IdPacking } from "./id-column.ts";
import type { Packing } from "./packed-numbers.ts";

/**
 * A chunk holds the records of many invocations, column by column, in a fraction of the bytes and of the work that a row or an object each would take:
 *
 *     version u8 | bytes of the head u32 | head (JSON) | the columns in the order of the head
 *
 * Texts and deployments stand in the head, each once; a column has their places. Times that were measured are kept to the microsecond. A column that a chunk does not
 * have reads as null: new ones are added without touching what is kept.
 */
export const CHUNK_VERSION = 1;
export const PREFIX_BYTES = 5;

export interface ChunkHead {
  count: number;
  /** Ids of one source are columns of numbers, and this is what they have in common; others are texts. */
  ids: { prefix: string; boot: string } | string[];
  deployments: Deployment[];
  texts: string[];
  columns: Record<string, Packing | IdPacking>;
}

type TextsOf<T> = { [K in keyof T]: T[K] extends string | null ? K : never }[keyof T];
type OwnName = Exclude<keyof InvocationRecord, keyof Deployment | "id" | "trace">;
export type TextName = Extract<OwnName, TextsOf<InvocationRecord>>;
export type NumberName = Exclude<OwnName, TextName>;

export const textNames = Object.keys({
  startKind: true,
  sandboxId: true,
  outcome: true,
  errorCode: true,
  errorMessage: true,
  method: true,
  path: true,
} satisfies Record<TextName, true>) as TextName[];

/** How many of the units that are kept make one of what is said. */
export const numberUnits = {
  status: 1,
  startedAt: 1,
  totalMs: 1000,
  queueMs: 1000,
  startMs: 1000,
  initMs: 1000,
  runMs: 1000,
  requestBytes: 1,
  responseBytes: 1,
  responseMs: 1000,
  cpuMs: 1000,
  memoryPeakBytes: 1,
  killMs: 1000,
} satisfies Record<NumberName, number>;
/** Columns of where calls stand in traces, with the digits of their ids. */
export const idDigits = { traceId: 32, runSpanId: 16, parentSpanId: 16 } satisfies Record<
  keyof CallTrace,
  number
>;
export type IdName = keyof CallTrace;
export const idNames = Object.keys(idDigits) as IdName[];
export const numberNames = Object.keys(numberUnits) as NumberName[];
