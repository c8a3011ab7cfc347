import { ApiError } from "./api-error.ts";

/** When a call that failed is made again. */
export interface RetryRule {
  /** Attempts after the first. */
  retries: number;
  /** Of a pause, which doubles with each attempt. */
  pauseMs: number;
  pauseMsMax: number;
  /** From 0 up to 1: which part of a pause is waited for beyond its half. */
  random(): number;
}

export const defaultPauses = { pauseMs: 250, pauseMsMax: 10_000, random: () => Math.random() };
const RETRY_AFTER_MS_MAX = 60_000;
export const RETRIES_MAX = 10;

interface Attempted {
  method: string;
  idempotencyKey?: string;
}

/** Nothing answered, or something answered for a server that did not take the call on. */
const passing = new Set([0, 408, 429, 502, 503, 504]);

/**
 * How long to wait before a failed call is made again, in ms; null: it is not. A call that changes something is made again only with an `Idempotency-Key`, under which the
 * server carries it out once, or where the server said that it refused it (429): else nobody knows whether it was carried out. `attempt` counts from 0.
 */
export function pauseBefore(
  error: unknown,
  call: Attempted,
  { attempt, rule, retryAfter }: { attempt: number; rule: RetryRule; retryAfter: string | null },
): number | null {
  if (!(error instanceof ApiError) || attempt >= rule.retries) return null;
  if (!passing.has(error.status) || error.code === "bad_answer") return null;
  const isSafe = ["GET", "HEAD"].includes(call.method) || call.idempotencyKey !== undefined;
  if (!isSafe && error.status !== 429) return null;
  const asked = retryAfterMs(retryAfter);
  if (asked !== null) return asked > RETRY_AFTER_MS_MAX ? null : asked;
  const whole = Math.min(rule.pauseMsMax, rule.pauseMs * 2 ** attempt);
  return whole / 2 + (whole / 2) * rule.random();
}

/** Of the header `retry-after`: seconds, or a date. */
function retryAfterMs(text: string | null): number | null {
  if (text === null) return null;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

/** Rejects with the signal's reason where that is aborted. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = withResolvers();
  const timer = setTimeout(resolve, ms);
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** `Promise.withResolvers` is not in Node 20. */
function withResolvers() {
  let resolve = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
