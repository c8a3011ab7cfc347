import type { LogLevel } from "./log-level.ts";
import type { CallTrace } from "./trace.ts";

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

/** What stands before the name of a schedule in place of a path. */
export const SCHEDULE_PATH = "schedule:";

/** One GiB of memory for one second. */
const MIB_MS_PER_GB_SECOND = 1024 * 1000;

/** What is kept of one invocation. */
export interface InvocationRecord extends Phases {
  id: string;
  project: string;
  functionName: string;
  functionId: string;
  revision: number;
  driver: string;
  runtime: string;
  /** Of the revision; null in records from before it was kept. */
  memoryMiB: number | null;
  /** null: it never reached a sandbox. */
  startKind: StartKind | null;
  sandboxId: string | null;
  outcome: Outcome;
  /** Code of the error catalogue; null with outcome `ok`. */
  errorCode: string | null;
  errorMessage: string | null;
  /** Status the caller got; 0 where there was no one left to answer. */
  status: number;
  /** Empty: it was no HTTP request. */
  method: string;
  /** `schedule:nightly`: the event of that schedule; empty: another event. */
  path: string;
  /** Unix time in ms. */
  startedAt: number;
  totalMs: number;
  requestBytes: number;
  responseBytes: number;
  /** The last part of `runMs`: from the head of the answer until its end. 0: it came in one piece; null: no head was passed on. */
  responseMs: number | null;
  /** Of everything in its sandbox, from its beginning to its end; null: it was not alone in there between two readings. */
  cpuMs: number | null;
  /** The most that its sandbox had held by the end of the call; null: not read. */
  memoryPeakBytes: number | null;
  /** From the decision to kill its sandbox until nothing of that was left; null: it was not killed for this call, or was not seen to be gone. */
  killMs: number | null;
  /** null: tracing was off, or the trace began here and was not sampled. */
  trace: CallTrace | null;
}

/** Whether it counts as an error: what its caller gave up does not. */
export function isError(outcome: Outcome): boolean {
  return outcome !== "ok" && outcome !== "cancelled";
}

/** Memory of the revision, times how long its code was loaded and run for this call; null where the memory is not known. */
export function gbSecondsOf(
  record: Pick<InvocationRecord, "memoryMiB" | "initMs" | "runMs">,
): number | null {
  const { memoryMiB, initMs, runMs } = record;
  if (memoryMiB === null) return null;
  return (memoryMiB * ((initMs ?? 0) + (runMs ?? 0))) / MIB_MS_PER_GB_SECOND;
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
  level: LogLevel;
  /** Text as written: data, never to be interpreted. */
  text: string;
  truncated: boolean;
}
