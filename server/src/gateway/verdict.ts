import { InitRefused } from "@isola/protocol/channel-types";
import type { Outcome } from "../domain/invocation.ts";
import { type ErrorCode, type IsolaError, errorCatalogue } from "../errors.ts";

const outcomes: Partial<Record<ErrorCode, Outcome>> = {
  function_timeout: "timeout",
  stream_timeout: "timeout",
  init_timeout: "timeout",
  sandbox_exited: "crash",
  out_of_memory: "out_of_memory",
  cancelled: "cancelled",
};

/** The outcome of a call that failed with this code. What callers got wrong counts as the function's answer to them, not as the platform's failure. */
export function outcomeOf(code: ErrorCode): Outcome {
  const known = outcomes[code];
  if (known !== undefined) return known;
  return errorCatalogue[code].blame === "platform" ? "platform_error" : "function_error";
}

export interface Refusal {
  phase: "queue" | "start" | "init";
  failure: { type: string; message: string; stack: string } | null;
}

const refusedIn: Partial<Record<ErrorCode, Refusal["phase"]>> = {
  queue_timeout: "queue",
  too_many_requests: "queue",
  init_failed: "init",
  init_timeout: "init",
  sandbox_exited: "init",
  out_of_memory: "init",
};

/** Where a call that never got a sandbox failed, and what the function itself said. */
export function refusalOf(error: IsolaError): Refusal {
  const { cause } = error;
  return {
    phase: refusedIn[error.code] ?? "start",
    failure: cause instanceof InitRefused ? cause.error : null,
  };
}

const soundCodes: Record<string, ErrorCode> = {
  function_error: "function_error",
  bad_response: "bad_response",
  request_too_large: "request_too_large",
  not_an_event_function: "not_an_event_function",
  cancelled: "function_error",
};

/** What an `ERROR` frame on a stream means; a code that the protocol does not know makes the sandbox unsound. */
export function sandboxFailureOf(code: string): { code: ErrorCode; isSound: boolean } {
  const known = Object.hasOwn(soundCodes, code) ? soundCodes[code] : undefined;
  return known === undefined
    ? { code: "bad_response", isSound: false }
    : { code: known, isSound: true };
}
