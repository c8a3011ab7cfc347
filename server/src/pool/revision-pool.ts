import { type DeployedFunction, reservedMiBOf } from "../domain/function.ts";
import type { DestroyReason } from "../drivers/driver.ts";
import { IsolaError } from "../errors.ts";
import { type BringUpOptions, bringUp } from "./bring-up.ts";
import { IdleSandboxes } from "./idle-sandboxes.ts";
import type { PooledSandbox, SandboxOwner } from "./pooled-sandbox.ts";
import { Queue, QueueEntry, type Waiter } from "./queue.ts";
import { StartAttempt } from "./start-attempt.ts";

/** What a revision's pool may ask of the whole. */
export interface PoolRoom {
  /** A blank sandbox of this function's size with its memory reserved, or null. */
  takeBlank(pool: RevisionPool): PooledSandbox | null;
  /** Reserves memory, evicting idle sandboxes of others where that helps; false when it is not there (yet). The pool is pumped when some has become free. */
  reserve(mib: number, pool: RevisionPool): boolean;
  /** Whether one of the machine's slots for starts is free. The pool is pumped when one has become free. */
  hasStartSlot(): boolean;
  /** The memory is reserved and the start begins. */
  takeStartSlot(fn: DeployedFunction): void;
  freeStartSlot(): void;
  /** A sandbox has become idle, or one more is ready: some may be evicted now. */
  onEvictable(): void;
  /** No caller of this pool waits any more. */
  onQueueEmpty(pool: RevisionPool): void;
  readonly memoryMiBMax: number;
}

export interface RevisionPoolOptions extends BringUpOptions {
  room: PoolRoom;
  queueLengthMax: number;
  onProblem(message: string): void;
}

/** A sandbox that ends by itself sooner than this after it was ready is not replaced at once. */
const STABLE_MS = 10_000;
const MINIMUM_RETRY_FIRST_MS = 1000;
const MINIMUM_RETRY_LAST_MS = 60_000;

/**
 * The sandboxes of one revision and the callers who wait for one. While someone waits, no sandbox has room: whoever leaves hands its place to the oldest
 * waiter. Starts are single-flight per need: one for every `concurrency` waiters that no start is under way for. `open -> retired`.
 */
export class RevisionPool implements SandboxOwner {
  readonly fn: DeployedFunction;
  readonly #options: RevisionPoolOptions;
  readonly #queue = new Queue(() => this.#options.room.onQueueEmpty(this));
  /** All until they are confirmed gone. */
  readonly #sandboxes = new Set<PooledSandbox>();
  /** Those with room for one more, most recently used last. */
  #available: PooledSandbox[] = [];
  readonly #attempts = new Set<StartAttempt>();
  readonly #drainReasons = new Map<PooledSandbox, DestroyReason>();
  readonly #idle: IdleSandboxes;
  #isRetired = false;
  #cancelMinimumTimer: (() => void) | null = null;
  #running = 0;
  /** Sandboxes kept by `minSandboxes` that failed one after the other. */
  #minimumFailures = 0;

  constructor(options: RevisionPoolOptions) {
    this.fn = options.fn;
    this.#options = options;
    this.#idle = new IdleSandboxes({
      clock: options.clock,
      settings: options.fn.settings,
      listed: () => this.#available,
      spare: () => this.#spare(),
    });
  }

  get queued(): number {
    return this.#queue.length;
  }

  get running(): number {
    return this.#running;
  }

  get sandboxes(): ReadonlySet<PooledSandbox> {
    return this.#sandboxes;
  }

  get starting(): number {
    return this.#attempts.size;
  }

  /** Gives the waiter a sandbox at once (null), or queues it. */
  acquire(waiter: Waiter): QueueEntry | null {
    if (this.#isRetired) {
      waiter.onRefused(shuttingDown());
      return null;
    }
    const sandbox = this.#available.at(-1);
    if (sandbox !== undefined) {
      this.#enter(sandbox);
      waiter.onLease(sandbox, "warm", { queueMs: 0, startMs: null, initMs: null });
      return null;
    }
    if (this.#queue.length >= this.#options.queueLengthMax) {
      const text = `${this.#queue.length} calls wait for a sandbox of ${this.fn.name} already`;
      waiter.onRefused(new IsolaError("too_many_requests", text));
      return null;
    }
    const entry = new QueueEntry(waiter, this.#options.clock.now());
    this.adopt(entry);
    return entry.queue === null ? null : entry;
  }

  /** Queues an entry, which may come from the pool that this one replaces. */
  adopt(entry: QueueEntry): void {
    const { clock } = this.#options;
    const leftMs = entry.queuedAt + this.fn.settings.queueTimeoutMs - clock.now();
    entry.cancelTimer = clock.after(Math.max(0, leftMs), () => this.#onQueueTimeout(entry));
    this.#queue.add(entry);
    this.pump();
  }

  /** The invocation is over and the sandbox well. */
  release(sandbox: PooledSandbox): void {
    this.#leave(sandbox);
    if (sandbox.state === "draining") return this.#destroyWhenEmpty(sandbox);
    if (sandbox.state !== "idle" && sandbox.state !== "busy") return;
    if (this.fn.settings.afterResponse === "kill" && sandbox.running === 0) {
      void sandbox.destroy("after_response");
      return;
    }
    this.#offer(sandbox);
  }

  /** The sandbox takes no further invocation; the one that ends it is still inside, and `abandon` follows. */
  condemn(sandbox: PooledSandbox, reason: DestroyReason): void {
    if (sandbox.isIdle || sandbox.state === "busy") this.#drain(sandbox, reason);
  }

  /** The invocation ended abnormally: the sandbox takes no further one, and is destroyed when those inside have ended. */
  abandon(sandbox: PooledSandbox, reason: DestroyReason): void {
    this.condemn(sandbox, reason);
    this.#leave(sandbox);
    if (sandbox.state === "draining") this.#destroyWhenEmpty(sandbox);
  }

  /** Starts what is needed and possible. */
  pump(): void {
    for (const attempt of this.#attempts)
      this.#queue.cover(attempt, this.fn.settings.concurrency - attempt.entries.size);
    while (this.#queue.uncovered > 0 && this.#mayStart()) {
      if (!this.#begin()) return;
    }
    this.keepMinimum();
  }

  /** No further lease from this revision. Returns the callers that still wait; those inside finish on it. */
  retire(reason: DestroyReason): QueueEntry[] {
    this.#isRetired = true;
    this.#idle.close();
    this.#cancelMinimumTimer?.();
    const waiting = this.#queue.entries();
    for (const entry of waiting) this.#queue.remove(entry);
    for (const attempt of this.#attempts) attempt.giveUp();
    for (const sandbox of this.#sandboxes) {
      if (!sandbox.isIdle && sandbox.state !== "busy") continue;
      this.#drain(sandbox, reason);
      this.#destroyWhenEmpty(sandbox);
    }
    return waiting;
  }

  /** Refuses the waiting callers and destroys everything now. */
  async close(): Promise<void> {
    for (const entry of this.retire("shutdown")) entry.waiter.onRefused(shuttingDown());
    await Promise.all([...this.#sandboxes].map((sandbox) => sandbox.destroy("shutdown")));
  }

  /** The sandbox that has been idle longest, and may go; null when there is none. */
  longestIdle(): PooledSandbox | null {
    return this.#idle.longest();
  }

  /** What evicting could free. */
  get evictableMiB(): number {
    const idle = this.#available.filter(({ isIdle }) => isIdle).length;
    return Math.max(0, Math.min(idle, this.#spare())) * this.#reservedMiB;
  }

  onDead(sandbox: PooledSandbox, reason: DestroyReason): void {
    this.#unlist(sandbox);
    this.#drainReasons.delete(sandbox);
    const isOwnEnd = reason === "crash" || reason === "protocol_error";
    if (!isOwnEnd || sandbox.ready === null) return;
    if (this.#options.clock.now() - sandbox.readyAt < STABLE_MS) this.#retryMinimum();
    else this.#minimumFailures = 0;
  }

  onGone(sandbox: PooledSandbox): void {
    this.#sandboxes.delete(sandbox);
    if (!this.#isRetired) this.pump();
  }

  /** Beyond what `minSandboxes` keeps. One that still starts stands in for none: it may fail. */
  #spare(): number {
    let ready = 0;
    for (const sandbox of this.#sandboxes)
      if (sandbox.isIdle || sandbox.state === "busy") ready += 1;
    return ready - this.fn.settings.minSandboxes;
  }

  #enter(sandbox: PooledSandbox): void {
    sandbox.enter();
    this.#running += 1;
    if (sandbox.running >= this.fn.settings.concurrency) this.#unlist(sandbox);
  }

  #leave(sandbox: PooledSandbox): void {
    sandbox.leave(this.#options.clock.now());
    this.#running -= 1;
  }

  /** Lists the sandbox, or hands its free places to those who wait. */
  #offer(sandbox: PooledSandbox, attempt: StartAttempt | null = null): void {
    const { clock } = this.#options;
    while (sandbox.running < this.fn.settings.concurrency) {
      const next = this.#queue.shift();
      if (next === null) {
        this.#list(sandbox);
        if (sandbox.running > 0) return;
        this.#idle.arm();
        this.#options.room.onEvictable();
        return;
      }
      this.#enter(sandbox);
      const isOwn = attempt !== null && next.attempt === attempt;
      const until = isOwn ? attempt.startedAt : clock.now();
      next.entry.waiter.onLease(sandbox, isOwn ? attempt.kind : "warm", {
        queueMs: Math.max(0, until - next.entry.queuedAt),
        startMs: isOwn ? (attempt.kind === "prewarmed" ? 0 : sandbox.startMs) : null,
        initMs: isOwn ? sandbox.initMs : null,
      });
    }
  }

  #list(sandbox: PooledSandbox): void {
    if (sandbox.isListed) return;
    sandbox.isListed = true;
    this.#available.push(sandbox);
  }

  #unlist(sandbox: PooledSandbox): void {
    if (!sandbox.isListed) return;
    sandbox.isListed = false;
    if (this.#available.at(-1) === sandbox) {
      this.#available.pop();
      return;
    }
    this.#available.splice(this.#available.indexOf(sandbox), 1);
  }

  #drain(sandbox: PooledSandbox, reason: DestroyReason): void {
    this.#unlist(sandbox);
    this.#drainReasons.set(sandbox, reason);
    sandbox.drain();
  }

  #destroyWhenEmpty(sandbox: PooledSandbox): void {
    if (sandbox.running === 0) void sandbox.destroy(this.#drainReasons.get(sandbox) ?? "replaced");
  }

  #onQueueTimeout(entry: QueueEntry): void {
    entry.isOverdue = true;
    if (entry.attempt === null) this.#refuseOverdue(entry);
  }

  #refuseOverdue(entry: QueueEntry): void {
    this.#queue.remove(entry);
    const { queueTimeoutMs, maxSandboxes } = this.fn.settings;
    const text = `no sandbox of ${this.fn.name} became free within ${queueTimeoutMs} ms (maxSandboxes ${maxSandboxes}, ${this.#sandboxes.size} exist)`;
    entry.waiter.onRefused(new IsolaError("queue_timeout", text));
  }

  #mayStart(): boolean {
    const count = this.#sandboxes.size + this.#unborn();
    return !this.#isRetired && count < this.fn.settings.maxSandboxes;
  }

  /** Attempts whose sandbox is not yet among the pool's. */
  #unborn(): number {
    let count = 0;
    for (const attempt of this.#attempts) if (attempt.sandbox === null) count += 1;
    return count;
  }

  /** Of one sandbox. */
  get #reservedMiB(): number {
    const { driver, memoryMiB } = this.fn.settings;
    return reservedMiBOf(driver, memoryMiB);
  }

  #begin(): boolean {
    const { room, clock } = this.#options;
    const { concurrency } = this.fn.settings;
    const needMiB = this.#reservedMiB;
    if (needMiB > room.memoryMiBMax) {
      const text = `${this.fn.name} needs ${needMiB} MiB, the server's memory budget is ${room.memoryMiBMax} MiB`;
      for (const entry of this.#queue.entries()) {
        this.#queue.remove(entry);
        entry.waiter.onRefused(new IsolaError("sandbox_start_failed", text));
      }
      return false;
    }
    if (!room.hasStartSlot()) return false;
    const blank = room.takeBlank(this);
    if (blank === null && !room.reserve(needMiB, this)) return false;
    room.takeStartSlot(this.fn);
    const attempt = new StartAttempt(clock.now());
    this.#queue.cover(attempt, concurrency);
    this.#attempts.add(attempt);
    void this.#run(attempt, blank);
    return true;
  }

  async #run(attempt: StartAttempt, blank: PooledSandbox | null): Promise<void> {
    const { room } = this.#options;
    const failure = await bringUp(this.#options, attempt, blank, (sandbox) => {
      sandbox.owner = this;
      this.#sandboxes.add(sandbox);
    });
    this.#attempts.delete(attempt);
    room.freeStartSlot();
    this.#settle(attempt, failure);
  }

  #settle(attempt: StartAttempt, failure: IsolaError | null): void {
    const entries = [...attempt.entries];
    if (failure !== null) {
      if (!this.#isRetired)
        this.#options.onProblem(`${this.fn.name}: ${failure.code}: ${failure.message}`);
      for (const entry of entries) {
        this.#queue.remove(entry);
        entry.waiter.onRefused(failure);
      }
      if (entries.length === 0) this.#retryMinimum();
    } else if (attempt.sandbox !== null) this.#welcome(attempt.sandbox, attempt);
    for (const entry of attempt.entries) {
      this.#queue.uncover(entry);
      if (entry.isOverdue) this.#refuseOverdue(entry);
    }
    if (!this.#isRetired) this.pump();
  }

  #welcome(sandbox: PooledSandbox, attempt: StartAttempt): void {
    if (sandbox.state !== "idle") return;
    sandbox.idleSince = this.#options.clock.now();
    if (this.#isRetired) {
      void sandbox.destroy("replaced");
      return;
    }
    this.#offer(sandbox, attempt);
    this.#idle.arm();
    this.#options.room.onEvictable();
  }

  /** Starts what `minSandboxes` lacks. */
  keepMinimum(): void {
    const { minSandboxes } = this.fn.settings;
    if (minSandboxes === 0 || this.#isRetired || this.#cancelMinimumTimer !== null) return;
    let count = this.#unborn();
    for (const { state } of this.#sandboxes)
      if (state !== "dead" && state !== "draining") count += 1;
    for (; count < minSandboxes && this.#mayStart(); count += 1) if (!this.#begin()) return;
  }

  #retryMinimum(): void {
    if (this.#isRetired || this.#cancelMinimumTimer !== null) return;
    const delayMs = Math.min(
      MINIMUM_RETRY_LAST_MS,
      MINIMUM_RETRY_FIRST_MS * 2 ** this.#minimumFailures,
    );
    this.#minimumFailures += 1;
    this.#cancelMinimumTimer = this.#options.clock.after(delayMs, () => {
      this.#cancelMinimumTimer = null;
      this.pump();
    });
  }
}

function shuttingDown(): IsolaError {
  return new IsolaError("shutting_down", "the server is stopping and starts nothing any more");
}
