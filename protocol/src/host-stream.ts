import type { InvocationSink } from "./channel-types.ts";
import { WINDOW_BYTES } from "./frames.mjs";

/** One invocation as the host holds it. */
export class HostStream {
  readonly id: number;
  readonly sink: InvocationSink;
  sendWindow = WINDOW_BYTES;
  receiveWindow = WINDOW_BYTES;
  /** Consumed and not yet given back. */
  owed = 0;
  /** Request bytes that wait for credit; at most what the caller wrote after `write` said false. */
  waiting: Buffer[] = [];
  isRequestEnded = false;
  hasHead = false;
  hasBody = false;

  constructor(id: number, sink: InvocationSink, isRequestEnded: boolean) {
    this.id = id;
    this.sink = sink;
    this.isRequestEnded = isRequestEnded;
  }
}
