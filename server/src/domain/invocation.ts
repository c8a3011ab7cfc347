/** How the sandbox of an invocation came to be. */
export type StartKind = "cold" | "restored" | "prewarmed" | "warm";

/** Exactly one per invocation. */
export type Outcome =
  | "ok"
  | "function_error"
  | "timeout"
  | "crash"
  | "out_of_memory"
  | "cancelled"
  | "platform_error";
export const outcomes: readonly Outcome[] = [
  "ok",
  "function_error",
  "timeout",
  "crash",
  "out_of_memory",
  "cancelled",
  "platform_error",
];

/** Where the time went, in ms with fractions; `null` for a phase that did not take place. */
export interface Phases {
  /** Admission until a sandbox was assigned or a start began. */
  queueMs: number;
  /** Start of a sandbox until its runtime had booted (0 with a blank one). */
  startMs: number | null;
  /** Code sent until it was loaded. */
  initMs: number | null;
  /** Event sent until the end of the response. */
  runMs: number | null;
}

/** What is kept of one invocation. */
export interface InvocationRecord extends Phases {
  id: string;
  project: string;
  functionName: string;
  functionId: string;
  revision: number;
  driver: string;
  runtime: string;
  /** null: it never reached a sandbox. */
  startKind: StartKind | null;
  sandboxId: string | null;
  outcome: Outcome;
  /** Code of the error catalogue; null with outcome `ok`. */
  errorCode: string | null;
  errorMessage: string | null;
  /** Status the caller got; 0 where there was no one left to answer. */
  status: number;
  method: string;
  path: string;
  /** Unix time in ms. */
  startedAt: number;
  totalMs: number;
  requestBytes: number;
  responseBytes: number;
  /** From the decision to kill its sandbox until nothing of that was left; null: it was not killed for this call, or was not seen to be gone. */
  killMs: number | null;
}

/** One line that a function wrote, or that the runtime wrote about it. */
export interface LogRecord {
  project: string;
  functionName: string;
  functionId: string;
  revision: number;
  /** null: written outside of any invocation. */
  invocationId: string | null;
  sandboxId: string;
  /** Unix time in ms. */
  at: number;
  stream: "stdout" | "stderr";
  level: "none" | "trace" | "debug" | "info" | "warn" | "error" | "fatal";
  /** Text as written: data, never to be interpreted. */
  text: string;
  truncated: boolean;
}
