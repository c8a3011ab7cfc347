/** Where a call stands in a trace. Ids are hex digits in lower case, none of them all zero. */
export interface CallTrace {
  /** 32 digits. */
  traceId: string;
  /** Of the span of the run, 16 digits: the function's own spans have it as parent, and the ids of the call's other spans are made of it. null: it is not sampled, and has no spans. */
  runSpanId: string | null;
  /** Of the caller's span, 16 digits. null: the trace begins here, or there are no spans. */
  parentSpanId: string | null;
}

/** Their numbers make ids of spans. */
const spanNumbers = { run: 0, call: 1, queue: 2, start: 3, init: 4 } as const;
export type SpanName = keyof typeof spanNumbers;

/** The id of another span of the same call: the first digit of the run's differs, the rest is as random. */
export function spanIdOf(runSpanId: string, name: SpanName): string {
  const first = Number.parseInt(runSpanId.slice(0, 1), 16) ^ spanNumbers[name];
  return first.toString(16) + runSpanId.slice(1);
}
