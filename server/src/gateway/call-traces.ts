import { randomFillSync } from "node:crypto";
import type { CallTrace } from "../domain/trace.ts";
import { parseTraceparent, passedTracestate, traceparentOf } from "../domain/trace-context.ts";

/** What became of a call's trace. */
export interface StartedTrace {
  /** For its record. null: the trace begins here and is not sampled, so nobody will ask for it. */
  place: CallTrace | null;
  /** `traceparent`, and `tracestate` where the caller has one, as the protocol wants headers. */
  headerBlock: string;
}

/** A trace id and a span id. */
const IDS_BYTES = 24;
/** Made at once, as that costs a fraction. */
const POOL_BYTES = IDS_BYTES * 256;
const TRACE_DIGITS = 32;
/** The last 56 bits of a trace id are those that are random by its recommendation. */
const RANDOM_MAX = 2 ** 56;

/** Gives calls their ids and decides which have spans: those that the caller's flag says, and of traces that begin here a part, by the trace id. */
export class CallTraces {
  readonly #leastRandom: number;
  readonly #pool = Buffer.alloc(POOL_BYTES);
  /** The pool in hex digits. */
  #digits = "";
  /** The first byte that is not used. */
  #at = POOL_BYTES;

  /** `ratio`: of 0 to 1, how many of the traces that begin here. */
  constructor(ratio: number) {
    this.#leastRandom = (1 - ratio) * RANDOM_MAX;
  }

  /** With the headers of the caller, each joined where it came more than once. */
  begin(traceparent: string | undefined, tracestate: string | undefined): StartedTrace {
    const parent = traceparent === undefined ? null : parseTraceparent(traceparent);
    if (parent === null) return this.#root();
    const { traceId, spanId, flags } = parent;
    const state = tracestate === undefined ? "" : passedTracestate(tracestate);
    const stateBlock = state === "" ? "" : `\ntracestate\n${state}`;
    // Without a span of ours nothing stands between the caller's and the function's.
    const runSpanId = (flags & 1) === 0 ? null : this.#digitsAt(this.#take(), TRACE_DIGITS, 16);
    const parentBlock = `\ntraceparent\n${traceparentOf(traceId, runSpanId ?? spanId, flags)}`;
    const parentSpanId = runSpanId === null ? null : spanId;
    return { place: { traceId, runSpanId, parentSpanId }, headerBlock: parentBlock + stateBlock };
  }

  #root(): StartedTrace {
    const at = this.#take();
    const high = this.#pool.readUInt32BE(at + 8) & 0xff_ff_ff;
    const isSampled = high * 2 ** 32 + this.#pool.readUInt32BE(at + 12) >= this.#leastRandom;
    const traceId = this.#digitsAt(at, 0, TRACE_DIGITS);
    const spanId = this.#digitsAt(at, TRACE_DIGITS, 16);
    const headerBlock = `\ntraceparent\n${traceparentOf(traceId, spanId, isSampled ? 1 : 0)}`;
    const place = isSampled ? { traceId, runSpanId: spanId, parentSpanId: null } : null;
    return { place, headerBlock };
  }

  /** The place of new ids in the pool. */
  #take(): number {
    if (this.#at === POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#digits = this.#pool.toString("hex");
      this.#at = 0;
    }
    this.#at += IDS_BYTES;
    return this.#at - IDS_BYTES;
  }

  #digitsAt(at: number, from: number, count: number): string {
    return this.#digits.slice(at * 2 + from, at * 2 + from + count);
  }
}
