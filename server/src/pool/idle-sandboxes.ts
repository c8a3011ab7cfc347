import type { Clock } from "../domain/clock.ts";
import type { RevisionSettings } from "../domain/function.ts";
import type { PooledSandbox } from "./pooled-sandbox.ts";

/** Idle for this long, a sandbox is frozen: calls that follow each other closely never pay for a thaw. */
const FREEZE_AFTER_MS = 100;
/** The same with `afterResponse: allow`: what work behind an answer may take. */
const ALLOWED_AFTER_MS = 30_000;

export interface IdleSandboxesOptions {
  clock: Clock;
  settings: RevisionSettings;
  /** Those that wait for a call, or have room for another. */
  listed(): readonly PooledSandbox[];
  /** How many may go before `minSandboxes` lacks one. */
  spare(): number;
}

/**
 * What happens to the sandboxes of a pool that nobody calls: frozen after a moment, destroyed after `idleTimeoutMs` as far as `minSandboxes` allows. One timer each
 * for all of them, so that a busy function arms it once in a while and not with every call. `open -> closed`.
 */
export class IdleSandboxes {
  readonly #options: IdleSandboxesOptions;
  readonly #freezeAfterMs: number;
  #cancelFreeze: (() => void) | null = null;
  #cancelEnd: (() => void) | null = null;
  #isClosed = false;

  constructor(options: IdleSandboxesOptions) {
    this.#options = options;
    this.#freezeAfterMs =
      options.settings.afterResponse === "allow" ? ALLOWED_AFTER_MS : FREEZE_AFTER_MS;
  }

  /** A sandbox has become idle. */
  arm(): void {
    if (this.#isClosed) return;
    if (this.#cancelFreeze === null) this.#freezeLater();
    if (this.#cancelEnd === null) this.#endLater();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelFreeze?.();
    this.#cancelEnd?.();
  }

  /** The one that has been idle longest, and may go; null when there is none. */
  longest(): PooledSandbox | null {
    if (!this.#mayGo()) return null;
    let found: PooledSandbox | null = null;
    for (const sandbox of this.#options.listed())
      if (sandbox.isIdle && (found === null || sandbox.idleSince < found.idleSince))
        found = sandbox;
    return found;
  }

  #mayGo(): boolean {
    return this.#options.spare() > 0;
  }

  #freezeLater(): void {
    this.#cancelFreeze = this.#options.clock.after(this.#freezeAfterMs, () => {
      this.#cancelFreeze = null;
      this.#freeze();
    });
  }

  #freeze(): void {
    const before = this.#options.clock.now() - this.#freezeAfterMs;
    let isLeft = false;
    for (const sandbox of this.#options.listed()) {
      if (sandbox.state !== "idle") continue;
      if (sandbox.idleSince <= before) sandbox.freeze();
      else isLeft = true;
    }
    if (isLeft) this.#freezeLater();
  }

  #endLater(): void {
    const { clock, settings, listed } = this.#options;
    let oldest = Number.POSITIVE_INFINITY;
    for (const sandbox of listed())
      if (sandbox.isIdle) oldest = Math.min(oldest, sandbox.idleSince);
    if (oldest === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(1, oldest + settings.idleTimeoutMs - clock.now());
    this.#cancelEnd = clock.after(delayMs, () => {
      this.#cancelEnd = null;
      this.#end();
    });
  }

  #end(): void {
    const { clock, settings, listed } = this.#options;
    const before = clock.now() - settings.idleTimeoutMs;
    for (const sandbox of [...listed()]) {
      if (!sandbox.isIdle || sandbox.idleSince > before) continue;
      if (!this.#mayGo()) break;
      void sandbox.destroy("idle");
    }
    if (this.#mayGo()) this.#endLater();
  }
}
