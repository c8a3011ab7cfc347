import type { Clock } from "../domain/clock.ts";
import type { RevisionSettings } from "../domain/function.ts";

/** Which limit of a run has passed; `limitMs` is its setting. */
export interface PassedLimit {
  setting: "timeoutMs" | "firstByteTimeoutMs" | "streamIdleTimeoutMs" | "streamTimeoutMs";
  limitMs: number;
}

export interface LimitListener {
  onPassed(passed: PassedLimit): void;
}

/**
 * The clocks of one run, monotonic: `new -> waiting (timeoutMs, firstByteTimeoutMs) -> streaming (streamTimeoutMs or timeoutMs, streamIdleTimeoutMs) -> over`.
 * One timer at a time, for the limit that comes first; a call without stream limits pays for one timer and nothing else.
 */
export class RunLimits {
  readonly #clock: Clock;
  readonly #settings: RevisionSettings;
  readonly #listener: LimitListener;
  #cancel: () => void = noop;
  #startedAt = 0;
  #isStreaming = false;
  /** When the response had begun, in monotonic ms; null: it has not, or came in one piece. */
  streamsSince: number | null = null;
  /** When the last piece was passed on; the caller's slowness is not the function's pause. */
  #pieceAt = 0;
  #isHeldUp = false;

  constructor(clock: Clock, settings: RevisionSettings, listener: LimitListener) {
    this.#clock = clock;
    this.#settings = settings;
    this.#listener = listener;
  }

  start(nowMs: number): void {
    this.#startedAt = nowMs;
    const { timeoutMs, firstByteTimeoutMs } = this.#settings;
    this.#arm(Math.min(timeoutMs, firstByteTimeoutMs ?? timeoutMs));
  }

  /** The response has begun, and is not all there yet. True the first time. */
  streams(): boolean {
    if (this.#isStreaming) return false;
    this.#isStreaming = true;
    this.streamsSince = this.#clock.now();
    const { firstByteTimeoutMs, streamIdleTimeoutMs, streamTimeoutMs } = this.#settings;
    if (firstByteTimeoutMs === null && streamIdleTimeoutMs === null && streamTimeoutMs === null)
      return true;
    this.#pieceAt = this.#clock.now();
    this.#next();
    return true;
  }

  /** A piece of the body has come; `isHeldUp`: the caller does not take it yet. */
  piece(isHeldUp: boolean): void {
    if (this.#settings.streamIdleTimeoutMs === null) return;
    this.#pieceAt = this.#clock.now();
    this.#isHeldUp = isHeldUp;
  }

  /** The caller has taken what it was given. */
  flows(): void {
    this.piece(false);
  }

  /** The limit that has passed by now, although its timer may not have run yet. */
  passed(): PassedLimit | null {
    const now = this.#clock.now();
    const { setting, limitMs, at } = this.#nearest();
    return this.#startedAt > 0 && now >= at ? { setting, limitMs } : null;
  }

  stop(): void {
    this.#cancel();
    this.#cancel = noop;
  }

  #arm(inMs: number): void {
    this.#cancel();
    this.#cancel = this.#clock.after(Math.max(0, inMs), () => this.#next());
  }

  /** Fires, or waits for the limit that comes next. */
  #next(): void {
    const { setting, limitMs, at } = this.#nearest();
    const leftMs = at - this.#clock.now();
    if (leftMs > 0) return this.#arm(leftMs);
    this.stop();
    this.#listener.onPassed({ setting, limitMs });
  }

  #nearest(): PassedLimit & { at: number } {
    const { timeoutMs, firstByteTimeoutMs, streamIdleTimeoutMs, streamTimeoutMs } = this.#settings;
    const startedAt = this.#startedAt;
    if (!this.#isStreaming) {
      if (firstByteTimeoutMs !== null && firstByteTimeoutMs < timeoutMs)
        return limit("firstByteTimeoutMs", firstByteTimeoutMs, startedAt);
      return limit("timeoutMs", timeoutMs, startedAt);
    }
    const total =
      streamTimeoutMs === null
        ? limit("timeoutMs", timeoutMs, startedAt)
        : limit("streamTimeoutMs", streamTimeoutMs, startedAt);
    if (streamIdleTimeoutMs === null) return total;
    const since = this.#isHeldUp ? this.#clock.now() : this.#pieceAt;
    const idle = limit("streamIdleTimeoutMs", streamIdleTimeoutMs, since);
    return idle.at < total.at ? idle : total;
  }
}

function limit(setting: PassedLimit["setting"], limitMs: number, since: number) {
  return { setting, limitMs, at: since + limitMs };
}

function noop(): void {}
