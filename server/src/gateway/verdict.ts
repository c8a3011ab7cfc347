import { type ChannelEnd, InitRefused } from "@isola/protocol/channel-types";
import type { DeployedFunction } from "../domain/function.ts";
import type { Outcome } from "../domain/invocation.ts";
import type { SandboxExit } from "../drivers/driver.ts";
import { type ErrorCode, type IsolaError, errorCatalogue } from "../errors.ts";
import type { PassedLimit } from "./run-limits.ts";

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

/** Why a call ended whose sandbox ended under it. */
export function endOf(
  fn: DeployedFunction,
  end: ChannelEnd,
  exit: SandboxExit,
): { code: ErrorCode; message: string } {
  if (end.isBreach)
    return { code: "bad_response", message: `the sandbox broke the protocol: ${end.reason}` };
  if (end.reason === "shutdown") return { code: "shutting_down", message: "the server stops" };
  if (exit.cause === "out_of_memory") {
    const limit = `${fn.settings.memoryMiB} MiB`;
    return { code: "out_of_memory", message: `${fn.name} reached its memory limit of ${limit}` };
  }
  const how = exit.signal === null ? `exit code ${exit.exitCode}` : `signal ${exit.signal}`;
  const message = `the process of ${fn.name} ended during the call (${how})`;
  return { code: "sandbox_exited", message };
}

export function passedText(name: string, { setting, limitMs }: PassedLimit): string {
  const texts: Record<PassedLimit["setting"], string> = {
    timeoutMs: "ran longer than",
    firstByteTimeoutMs: "did not begin to answer within",
    streamIdleTimeoutMs: "paused its answer for longer than",
    streamTimeoutMs: "streamed for longer than",
  };
  return `${name} ${texts[setting]} ${limitMs} ms (${setting})`;
}

/** The limit that kept a call from ever running. */
export function refusalLimitMs({ settings }: DeployedFunction, code: ErrorCode) {
  if (code === "init_timeout") return settings.initTimeoutMs;
  return code === "queue_timeout" ? settings.queueTimeoutMs : undefined;
}
