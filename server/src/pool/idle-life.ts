import type { Clock } from "../domain/clock.ts";
import type { RevisionSettings } from "../domain/function.ts";
import { KeepAlive } from "./keep-alive/keep-alive.ts";
import { type KeepWindow, keptFor } from "./keep-alive/keep-window.ts";
import { Prewarm } from "./prewarm.ts";

export interface IdleLifeOptions {
  clock: Clock;
  settings: RevisionSettings;
  /** Starts one sandbox that is kept for `keepMs`, unless the pool has any. */
  prewarm(keepMs: number): void;
}

/**
 * How long an idle sandbox of a pool is kept: as `idleTimeoutMs` says, or, with `auto`, as the function's calls have taught; then one may also be started ahead of a
 * call. `open -> closed`.
 */
export class IdleLife {
  readonly #options: IdleLifeOptions;
  readonly #fixed: KeepWindow | null;
  /** null where `idleTimeoutMs` is a number. */
  #keepAlive: KeepAlive | null;
  #prewarm: Prewarm | null = null;
  #isClosed = false;
  /** Sandboxes with calls inside. */
  #busy = 0;

  constructor(options: IdleLifeOptions) {
    this.#options = options;
    const { settings } = options;
    this.#fixed = settings.idleTimeoutMs === "auto" ? null : keptFor(settings.idleTimeoutMs);
    this.#keepAlive = this.#fixed === null ? new KeepAlive() : null;
  }

  /** For a sandbox that becomes idle now. */
  get keepMs(): number {
    return this.#window().keepMs;
  }

  /** A sandbox that was idle has a call. */
  onBusy(): void {
    this.#busy += 1;
    this.#keepAlive?.times.rises(this.#busy, this.#options.clock.now());
  }

  /** A sandbox has no call any more. Returns how long to keep it. */
  onIdle(nowMs: number): number {
    this.#keepAlive?.times.falls(this.#busy, nowMs);
    this.#busy -= 1;
    const { keepMs, prewarmMs, prewarmKeepMs } = this.#window();
    if (prewarmMs !== null && this.#busy === 0 && !this.#isClosed) {
      this.#prewarm ??= new Prewarm(this.#options.clock, this.#options.prewarm);
      this.#prewarm.at(nowMs + prewarmMs, prewarmKeepMs);
    }
    return keepMs;
  }

  /** Goes on with what was learned of the function under an earlier revision. */
  learnFrom(earlier: IdleLife): void {
    if (this.#keepAlive !== null) this.#keepAlive = earlier.#keepAlive ?? this.#keepAlive;
  }

  close(): void {
    this.#isClosed = true;
    this.#prewarm?.close();
  }

  #window(): KeepWindow {
    const { memoryMiB } = this.#options.settings;
    return this.#fixed ?? (this.#keepAlive as KeepAlive).window(memoryMiB);
  }
}
