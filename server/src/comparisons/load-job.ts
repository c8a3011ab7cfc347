/** A measurement in a closed loop: each connection sends its next request when the answer to the last has come. */
export interface LoadJob {
  /** Where the function answers. */
  socketPath: string;
  /** A whole request in base64. */
  request: string;
  connections: number;
  /** 0: none. */
  warmupMs: number;
  /** Nothing is sent after it; 0: one call on each connection. */
  durationMs: number;
}

export interface LoadResult {
  calls: number;
  seconds: number;
  /** From the write of a request to the end of its answer. */
  p50Ms: number;
  p99Ms: number;
}

/** Between warm-up and measurement nothing is under way: whoever measures reads the clocks then, and says `go`. */
export type ToLoad = { type: "run"; job: LoadJob } | { type: "go" };
export type FromLoad =
  | { type: "warm" }
  | { type: "done"; result: LoadResult }
  /** An answer with a status of 400 or above, or none. `message` may hold words of the function. */
  | { type: "failed"; message: string };
