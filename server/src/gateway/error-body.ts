import { STATUS_CODES } from "node:http";
import type { DeployedFunction } from "../domain/function.ts";
import type { Reply } from "./reply.ts";
import { type ErrorCode, errorCatalogue } from "../errors.ts";

export interface FailureDetail {
  code: ErrorCode;
  message: string;
  requestId: string;
  /** Where it happened: `route`, `queue`, `start`, `init`, `run`. */
  phase: string;
  limitMs?: number | undefined;
  elapsedMs?: number | undefined;
  /** The function's own words, only where it allows them. */
  type?: string | undefined;
  stack?: string | undefined;
}

export interface Failure {
  status: number;
  headers: string[];
  body: Buffer;
}

const RETRY_AFTER_S = "1";

/** The answer to a failed call: docs/timeouts.md has the form. */
export function failureAnswer(detail: FailureDetail): Failure {
  const body = Buffer.from(JSON.stringify({ error: detail }));
  const { status } = errorCatalogue[detail.code];
  const headers = [
    "content-type",
    "application/json",
    "content-length",
    String(body.length),
    "isola-error",
    detail.code,
    "isola-request-id",
    detail.requestId,
  ];
  if (status === 503 || status === 429) headers.push("retry-after", RETRY_AFTER_S);
  return { status, headers, body };
}

/** A failure as a whole HTTP response that ends its connection, for callers whose request could not be read. */
export function rawFailure({ status, headers, body }: Failure): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n`;
  for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${head}\r\n${body.toString()}`;
}

/** What a function said as it failed: data. */
export interface OwnWords {
  type: string;
  message: string;
  stack: string;
}

/** The answer to a call that a function failed: its own words only where its settings allow, and the limit that fired. */
export function functionFailure(
  fn: DeployedFunction,
  said: Omit<FailureDetail, "type" | "stack">,
  words: OwnWords | null,
): Failure {
  const { settings } = fn;
  const shown = settings.exposeErrors ? words : null;
  const isOwn = words !== null && (said.code === "function_error" || said.code === "init_failed");
  return failureAnswer({
    ...said,
    message: isOwn && shown === null ? `${fn.name} failed; its logs say why` : said.message,
    type: shown?.type,
    stack: shown?.stack,
  });
}

/** Returns the status. */
export function giveFailure(reply: Reply, { status, headers, body }: Failure): number {
  reply.head(status, headers);
  reply.end(body);
  return status;
}
