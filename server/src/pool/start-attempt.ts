import type { StartKind } from "../domain/invocation.ts";
import type { PooledSandbox } from "./pooled-sandbox.ts";
import type { QueueEntry } from "./queue.ts";

/** One start of a sandbox for a revision, and the queued callers that it is for. */
export class StartAttempt {
  readonly startedAt: number;
  readonly entries: Set<QueueEntry> = new Set();
  readonly abort = new AbortController();
  sandbox: PooledSandbox | null = null;
  kind: StartKind = "cold";
  /** Set where it is begun ahead of the next call: how long its sandbox is kept for that. */
  keepMs: number | null = null;
  hasTimedOut = false;
  /** Resolves when nobody waits for it any more: its deadline has passed, or it was given up. */
  readonly ended: Promise<void>;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
    this.ended = new Promise((resolve) =>
      this.abort.signal.addEventListener("abort", () => resolve(), { once: true }),
    );
  }

  cover(entry: QueueEntry): void {
    entry.attempt = this;
    this.entries.add(entry);
  }

  /** The deadline of start and init has passed: whatever it is doing ends now. */
  expire(): void {
    this.hasTimedOut = true;
    this.abort.abort();
    void this.sandbox?.destroy("timeout", "start and init took too long");
  }

  /** The revision is no longer wanted. */
  giveUp(): void {
    this.abort.abort();
    void this.sandbox?.destroy("replaced");
  }
}
