import type { ErrorDetail } from "./errors.ts";

/** An answer with a status of 400 or more, or (status 0) none at all. */
export class ApiError extends Error {
  readonly status: number;
  /** Of the error catalogue; `unreachable` or `bad_answer` where the server did not say. */
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  /** What the server's log knows the call by; empty where there is none. */
  readonly requestId: string;

  constructor(
    message: string,
    answer: {
      status: number;
      code: string;
      details?: readonly ErrorDetail[];
      requestId?: string;
      cause?: unknown;
    },
  ) {
    super(message, answer.cause === undefined ? undefined : { cause: answer.cause });
    this.name = "ApiError";
    this.status = answer.status;
    this.code = answer.code;
    this.details = answer.details ?? [];
    this.requestId = answer.requestId ?? "";
  }
}
