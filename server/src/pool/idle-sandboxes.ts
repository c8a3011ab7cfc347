import type { Clock } from "../domain/clock.ts";
import { type RevisionSettings, reservedMiBOf } from "../domain/function.ts";
import type { EvictionCandidate, EvictionOrder } from "./keep-alive/eviction-order.ts";
import { tieBreak, worthOf } from "./keep-alive/worth.ts";
import type { PooledSandbox } from "./pooled-sandbox.ts";

/** Idle for this long, a sandbox is frozen: calls that follow each other closely never pay for a thaw. */
const FREEZE_AFTER_MS = 100;
/** The same with `afterResponse: allow`: what work behind an answer may take. */
const ALLOWED_AFTER_MS = 30_000;

export interface IdleSandboxesOptions {
  clock: Clock;
  settings: RevisionSettings;
  /** False: they go on between calls, whatever `afterResponse` says. */
  freezes: boolean;
  /** Those that wait for a call, or have room for another. */
  listed(): readonly PooledSandbox[];
  /** Of the pool's project. */
  order: EvictionOrder<IdleSandboxes>;
  /** How many may go before `minSandboxes` lacks one. */
  spare(): number;
}

/** A sandbox that is being destroyed for its memory. */
export interface Evicted {
  memoryMiB: number;
  gone: Promise<void>;
}

/**
 * What happens to the sandboxes of a pool that nobody calls: frozen after a moment, destroyed `keepMs` after they became idle as far as `minSandboxes` allows. One
 * timer each for all of them, so that a busy function arms it once in a while and not with every call. `open -> closed`.
 */
export class IdleSandboxes implements EvictionCandidate {
  orderedAt = -1;
  readonly #options: IdleSandboxesOptions;
  readonly #freezeAfterMs: number;
  #cancelFreeze: (() => void) | null = null;
  #cancelEnd: (() => void) | null = null;
  #endsAt = 0;
  #isClosed = false;

  constructor(options: IdleSandboxesOptions) {
    this.#options = options;
    this.#freezeAfterMs =
      options.settings.afterResponse === "allow" ? ALLOWED_AFTER_MS : FREEZE_AFTER_MS;
  }

  /** The sandbox has become idle, and is listed. */
  arm(sandbox: PooledSandbox): void {
    if (this.#isClosed) return;
    if (this.#cancelFreeze === null && this.#options.freezes) this.#freezeLater();
    const endsAt = sandbox.idleSince + sandbox.keepMs;
    if (this.#cancelEnd === null || endsAt < this.#endsAt) this.#endAt(endsAt);
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

  /** On the scale of the order of eviction, of the sandbox that `longest` gives; null when it gives none. */
  evictionPriority(): number | null {
    const sandbox = this.longest();
    return sandbox === null ? null : this.#priorityOf(sandbox);
  }

  /** Destroys the one whose priority that is; null where none may go. */
  evict(): Evicted | null {
    const sandbox = this.longest();
    if (sandbox === null) return null;
    this.#options.order.passed(this.#priorityOf(sandbox));
    const gone = sandbox.destroy("evicted", "memory was needed");
    return { memoryMiB: sandbox.reservedMiB, gone };
  }

  /** What evicting could free. */
  get evictableMiB(): number {
    const { listed, spare, settings } = this.#options;
    const idle = listed().filter(({ isIdle }) => isIdle).length;
    return Math.max(0, Math.min(idle, spare())) * reservedMiBOf(settings);
  }

  #priorityOf({ uses, initMs, startMs, evictionMark, idleSince }: PooledSandbox): number {
    const worth = worthOf(uses, initMs + startMs, this.#options.settings.memoryMiB);
    return evictionMark + worth + tieBreak(idleSince);
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

  #endAt(at: number): void {
    const { clock } = this.#options;
    this.#cancelEnd?.();
    this.#endsAt = at;
    this.#cancelEnd = clock.after(Math.max(1, at - clock.now()), () => {
      this.#cancelEnd = null;
      this.#end();
    });
  }

  #end(): void {
    const { clock, listed } = this.#options;
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const sandbox of [...listed()]) {
      if (!sandbox.isIdle) continue;
      if (!this.#mayGo()) return;
      const endsAt = sandbox.idleSince + sandbox.keepMs;
      if (endsAt <= now) void sandbox.destroy("idle");
      else next = Math.min(next, endsAt);
    }
    if (next < Number.POSITIVE_INFINITY) this.#endAt(next);
  }
}
