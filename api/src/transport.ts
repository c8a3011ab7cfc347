import { ApiError } from "./api-error.ts";
import type { ErrorBody } from "./errors.ts";
import { linesOf } from "./lines.ts";
import { RETRIES_MAX, type RetryRule, defaultPauses, pause, pauseBefore } from "./retry.ts";

export interface ClientOptions {
  /** `http://127.0.0.1:8081` */
  url: string;
  /** `isola_<id>_<secret>`; the open calls need none. */
  apiKey?: string;
  /** Whose functions and invocations are meant; left out: those of the key's project. */
  project?: string;
  /** Longest wait for the head of an answer; by default 60 s, and no bound for invocations. */
  timeoutMs?: number;
  /** How often a call that failed is made again where that does no harm: see `pauseBefore`. At most 10, by default 0. */
  retries?: number;
  fetch?: typeof fetch;
}

export interface CallOptions {
  /** Gives the call up. */
  signal?: AbortSignal;
  /** The `etag` that must still hold, else `precondition_failed`. */
  ifMatch?: string;
  /** Makes a repeated call answer as the first did. */
  idempotencyKey?: string;
}

export interface Call extends CallOptions {
  method: string;
  path: string;
  query?: Record<string, string | number | readonly string[] | undefined>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is, with `contentType`. */
  bytes?: Uint8Array<ArrayBuffer>;
  contentType?: string;
  /** Instead of JSON. */
  accept?: string;
  lastEventId?: string;
  /** The call lasts as long as the function or the build runs. */
  isUnbounded?: boolean;
}

/** Carries out calls. Rejects with `ApiError` alone, but for an abort by the caller's own signal. */
export type Transport = (call: Call) => Promise<Response>;

const TIMEOUT_MS = 60_000;

export function createTransport(options: ClientOptions): Transport {
  const retries = Math.min(options.retries ?? 0, RETRIES_MAX);
  const rule: RetryRule = { ...defaultPauses, retries };
  return async (call) => {
    for (let attempt = 0; ; attempt += 1) {
      const { response, error } = await attemptOf(options, call);
      if (error === null) return response;
      const retryAfter = response?.headers.get("retry-after") ?? null;
      const waitMs = pauseBefore(error, call, { attempt, rule, retryAfter });
      if (waitMs === null) throw error;
      await pause(waitMs, call.signal);
    }
  };
}

type Attempt = { response: Response; error: null } | { response: Response | null; error: ApiError };

/** Rejects only where the caller gave the call up. */
async function attemptOf(options: ClientOptions, call: Call): Promise<Attempt> {
  const send = options.fetch ?? fetch;
  const base = options.url.replace(/\/+$/, "");
  const limit = call.isUnbounded ? [] : [AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)];
  const signals = call.signal === undefined ? limit : [...limit, call.signal];
  const request: RequestInit = {
    method: call.method,
    headers: headersOf(options, call),
    signal: AbortSignal.any(signals),
  };
  if (call.bytes !== undefined) request.body = call.bytes;
  else if (call.json !== undefined) request.body = JSON.stringify(call.json);
  let response: Response | null = null;
  try {
    response = await send(`${base}${call.path}${queryOf(call)}`, request);
    return response.status < 400
      ? { response, error: null }
      : { response, error: await errorOf(response) };
  } catch (error) {
    if (call.signal?.aborted) throw error;
    return { response, error: unreachable(base, error) };
  }
}

/** The JSON of an answer; `bad_answer` where it is something else. */
export async function jsonOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw badAnswer(response, text, error);
  }
}

/** The events of an answer that is lines of JSON. Rejects with `unreachable` where it breaks off. */
export async function* eventsOf<T>(response: Response): AsyncGenerator<T> {
  try {
    for await (const line of linesOf(response.body)) yield JSON.parse(line) as T;
  } catch (error) {
    throw cutOff(response, error);
  }
}

/** The answer ended before its last event. */
export function cutOff(response: Response, error: unknown = new Error("it broke off")): ApiError {
  return unreachable(new URL(response.url).origin, error);
}

function headersOf(options: ClientOptions, call: Call): Record<string, string> {
  const headers: Record<string, string> = { accept: call.accept ?? "application/json" };
  if (options.apiKey !== undefined) headers.authorization = `Bearer ${options.apiKey}`;
  if (call.bytes !== undefined)
    headers["content-type"] = call.contentType ?? "application/octet-stream";
  else if (call.json !== undefined) headers["content-type"] = "application/json";
  if (call.lastEventId !== undefined) headers["last-event-id"] = call.lastEventId;
  if (call.ifMatch !== undefined) headers["if-match"] = call.ifMatch;
  if (call.idempotencyKey !== undefined) headers["idempotency-key"] = call.idempotencyKey;
  return headers;
}

function queryOf(call: Call): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value === undefined) continue;
    for (const one of typeof value === "object" ? value : [value]) query.append(name, String(one));
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  const error = errorIn(text);
  if (error === null) return badAnswer(response, text);
  const { code, message, details, requestId } = error;
  return new ApiError(message, { status: response.status, code, details, requestId });
}

function errorIn(text: string): ErrorBody["error"] | null {
  try {
    const error = (JSON.parse(text) as Partial<ErrorBody>).error;
    return typeof error?.code === "string" ? error : null;
  } catch {
    // Not ours: something between this machine and the server has answered. The caller reports that.
    return null;
  }
}

function unreachable(base: string, error: unknown): ApiError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new ApiError(`${base} does not answer (${reason}); is Isola running there?`, {
    status: 0,
    code: "unreachable",
    cause: error,
  });
}

function badAnswer(response: Response, text: string, cause?: unknown): ApiError {
  const start = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  return new ApiError(`expected JSON of Isola, status ${response.status} came with: ${start}`, {
    status: response.status,
    code: "bad_answer",
    requestId: response.headers.get("isola-request-id") ?? "",
    cause,
  });
}
