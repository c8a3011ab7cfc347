import { type DeployedFunction, reservedMiBOf } from "../domain/function.ts";
import type { DestroyReason } from "../drivers/driver.ts";
import type { IsolaError } from "../errors.ts";
import type { BlankPool } from "./blank-pool.ts";
import { type BringUpOptions, bringUp } from "./bring-up.ts";
import { IdleLife } from "./idle-life.ts";
import { IdleSandboxes } from "./idle-sandboxes.ts";
import { AHEAD_USES } from "./keep-alive/worth.ts";
import { MinimumRetry } from "./minimum-retry.ts";
import { OpenSandboxes } from "./open-sandboxes.ts";
import type { PoolNews } from "./pool-news.ts";
import type { OpenPoolOptions } from "./own-blanks.ts";
import type { PoolRoom } from "./pool-room.ts";
import type { PooledSandbox, SandboxOwner } from "./pooled-sandbox.ts";
import type { ProjectShare } from "./project-shares.ts";
import { Queue, QueueEntry, type Waiter } from "./queue.ts";
import { queueFull, queueTimeout, shuttingDown, tooLarge } from "./refusals.ts";
import { StartAttempt } from "./start-attempt.ts";

export interface RevisionPoolOptions extends BringUpOptions, OpenPoolOptions {
  room: PoolRoom;
  share: ProjectShare;
  queueLengthMax: number;
  /** Left out: nobody cares to know. */
  news?: PoolNews;
  onProblem(message: string): void;
}

/**
 * The sandboxes of one revision and the callers who wait for one. While someone waits, no sandbox has room: whoever leaves hands its place to the oldest
 * waiter. Starts are single-flight per need: one for every `concurrency` waiters that no start is under way for. `open -> retired`.
 */
export class RevisionPool implements SandboxOwner {
  readonly fn: DeployedFunction;
  readonly share: ProjectShare;
  readonly idle: IdleSandboxes;
  /** Undefined: those that all share. */
  readonly blanks: BlankPool | null | undefined;
  readonly #options: RevisionPoolOptions;
  readonly #queue = new Queue(() => this.#options.room.onQueueEmpty(this));
  /** All until they are confirmed gone. */
  readonly #sandboxes = new Set<PooledSandbox>();
  readonly #open: OpenSandboxes;
  readonly #attempts = new Set<StartAttempt>();
  readonly #drainReasons = new Map<PooledSandbox, DestroyReason>();
  readonly #minimum: MinimumRetry;
  readonly #target: number;
  readonly #life: IdleLife;
  #isRetired = false;
  #running = 0;

  constructor(options: RevisionPoolOptions) {
    this.fn = options.fn;
    this.share = options.share;
    this.blanks = options.blanks;
    this.#options = options;
    const { clock, fn } = options;
    const { concurrency, concurrencyTarget } = fn.settings;
    this.#target = Math.min(concurrency, concurrencyTarget ?? concurrency);
    this.#open = new OpenSandboxes(this.#target, concurrency);
    this.#minimum = new MinimumRetry(clock, () => this.pump());
    this.#life = new IdleLife({
      clock,
      settings: fn.settings,
      prewarm: (keepMs) => {
        if (this.#sandboxes.size === 0) this.#startAhead(keepMs);
      },
    });
    this.idle = new IdleSandboxes({
      ...{ clock, settings: fn.settings, freezes: options.debug === undefined },
      order: options.share.order,
      listed: () => this.#open.preferred(),
      spare: () => this.#spare(),
    });
  }

  get countsFor(): DeployedFunction | null {
    return this.#options.equipment === undefined ? this.fn : null;
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

  /** A caller waits for whom a start is needed and allowed. */
  get isInNeed(): boolean {
    return this.#queue.uncovered > 0 && this.#mayStart();
  }

  /** Gives the waiter a sandbox at once (null), or queues it. */
  acquire(waiter: Waiter): QueueEntry | null {
    if (this.#isRetired) {
      waiter.onRefused(shuttingDown());
      return null;
    }
    const sandbox = this.#open.next();
    if (sandbox !== undefined) {
      this.#enter(sandbox);
      const isAboveTarget = sandbox.running > this.#target;
      waiter.onLease(sandbox, "warm", { queueMs: 0, startMs: null, initMs: null });
      if (isAboveTarget) this.#startAhead(this.#life.keepMs);
      return null;
    }
    if (this.#queue.length >= this.#options.queueLengthMax) {
      waiter.onRefused(queueFull(this.fn, this.#queue.length));
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
    this.#options.room.onQueued(this);
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
    if (this.#queue.length > 0 && this.#mustYield()) {
      sandbox.isYielded = true;
      this.#drain(sandbox, "evicted");
      return this.#destroyWhenEmpty(sandbox);
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
    while (this.startOne());
    this.keepMinimum();
  }

  /** Begins one start for callers who wait; false where none is needed or possible. */
  startOne(): boolean {
    for (const attempt of this.#attempts)
      this.#queue.cover(attempt, this.fn.settings.concurrency - attempt.entries.size);
    if (this.#queue.uncovered === 0 || !this.#mayStart()) return false;
    return this.#begin(new StartAttempt(this.#options.clock.now()));
  }

  /** No further lease from this revision. Returns the callers that still wait; those inside finish on it. */
  retire(reason: DestroyReason): QueueEntry[] {
    this.#isRetired = true;
    this.idle.close();
    this.#minimum.close();
    this.#life.close();
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

  /** Goes on with what was learned of the function under an earlier revision. */
  learnFrom(earlier: RevisionPool): void {
    this.#life.learnFrom(earlier.#life);
  }

  onDead(sandbox: PooledSandbox, reason: DestroyReason): void {
    this.#open.remove(sandbox);
    this.#drainReasons.delete(sandbox);
    const isOwnEnd = reason === "crash" || reason === "protocol_error";
    if (isOwnEnd && sandbox.ready !== null) this.#minimum.ended(sandbox.readyAt);
    if (sandbox.ready !== null) this.#options.news?.onEnded(this.fn, reason, this.#serving());
  }

  onGone(sandbox: PooledSandbox): void {
    this.#sandboxes.delete(sandbox);
    if (sandbox.isYielded) this.#options.room.onYielded(this);
    if (!this.#isRetired) this.pump();
  }

  #serving(): number {
    let count = 0;
    for (const { state, isIdle } of this.#sandboxes) if (isIdle || state === "busy") count += 1;
    return count;
  }

  /** Beyond what `minSandboxes` keeps. One that still starts stands in for none: it may fail. */
  #spare(): number {
    return this.#serving() - this.fn.settings.minSandboxes;
  }

  #enter(sandbox: PooledSandbox): void {
    sandbox.enter();
    this.#running += 1;
    this.#open.entered(sandbox);
    if (sandbox.running === 1) this.#life.onBusy();
  }

  #leave(sandbox: PooledSandbox): void {
    const now = this.#options.clock.now();
    sandbox.leave(now);
    this.#running -= 1;
    if (sandbox.running > 0) return;
    sandbox.evictionMark = this.share.order.clock;
    sandbox.keepMs = this.#life.onIdle(now);
  }

  /** What `minSandboxes` keeps stays. */
  #mustYield(): boolean {
    const { room } = this.#options;
    return !room.isMemoryAtRest() && this.#spare() > 0 && room.mustYield(this);
  }

  /** Lists the sandbox, or hands its free places to those who wait. */
  #offer(sandbox: PooledSandbox, attempt: StartAttempt | null = null): void {
    const { clock } = this.#options;
    while (sandbox.running < this.fn.settings.concurrency) {
      const next = this.#queue.shift();
      if (next === null) {
        this.#open.list(sandbox);
        if (sandbox.running > 0) return;
        this.idle.arm(sandbox);
        this.#options.room.onEvictable(this);
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

  #drain(sandbox: PooledSandbox, reason: DestroyReason): void {
    this.#open.remove(sandbox);
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
    entry.waiter.onRefused(queueTimeout(this.fn, this.#sandboxes.size));
  }

  #mayStart(): boolean {
    const count = this.#sandboxes.size + this.#unborn();
    return !this.#isRetired && count < this.fn.settings.maxSandboxes;
  }

  /** Attempts whose sandbox is not yet among the pool's. */
  #unborn(): number {
    return [...this.#attempts].filter(({ sandbox }) => sandbox === null).length;
  }

  #begin(attempt: StartAttempt): boolean {
    const { room } = this.#options;
    if (reservedMiBOf(this.fn.settings) > room.memoryMiBMax) {
      for (const entry of this.#queue.entries()) {
        this.#queue.remove(entry);
        entry.waiter.onRefused(tooLarge(this.fn, room.memoryMiBMax));
      }
      return false;
    }
    if (!room.hasStartSlot()) return false;
    const blank = room.takeBlank(this);
    if (blank === null && !this.#reserve(attempt)) return false;
    room.takeStartSlot(this);
    this.#queue.cover(attempt, this.fn.settings.concurrency);
    this.#attempts.add(attempt);
    void this.#run(attempt, blank);
    return true;
  }

  /** Nobody is evicted for what no caller waits for. */
  #reserve(attempt: StartAttempt): boolean {
    const { room } = this.#options;
    const mib = reservedMiBOf(this.fn.settings);
    return attempt.keepMs === null ? room.reserve(mib, this) : room.reserveFree(mib, this);
  }

  /** Starts one sandbox ahead of the call that will need it, where none is under way, the last one did not fail and memory lies free. */
  #startAhead(keepMs: number): void {
    const { room, clock } = this.#options;
    if (this.#attempts.size > 0 || this.#minimum.isWaiting) return;
    if (!this.#mayStart() || !room.hasRoomAhead(this)) return;
    const attempt = new StartAttempt(clock.now());
    attempt.keepMs = keepMs;
    this.#begin(attempt);
  }

  async #run(attempt: StartAttempt, blank: PooledSandbox | null): Promise<void> {
    const { room } = this.#options;
    const failure = await bringUp(this.#options, attempt, blank, (sandbox) => {
      sandbox.owner = this;
      this.#sandboxes.add(sandbox);
    });
    this.#attempts.delete(attempt);
    room.freeStartSlot(this);
    this.#settle(attempt, failure);
  }

  #settle(attempt: StartAttempt, failure: IsolaError | null): void {
    const entries = [...attempt.entries];
    if (failure !== null) {
      if (!this.#isRetired) {
        this.#options.onProblem(`${this.fn.name}: ${failure.code}: ${failure.message}`);
        this.#options.news?.onStartFailed(this.fn, failure);
      }
      for (const entry of entries) {
        this.#queue.remove(entry);
        entry.waiter.onRefused(failure);
      }
      if (entries.length === 0) this.#minimum.later();
    } else if (attempt.sandbox !== null) this.#welcome(attempt.sandbox, attempt);
    for (const entry of attempt.entries) {
      this.#queue.uncover(entry);
      if (entry.isOverdue) this.#refuseOverdue(entry);
    }
    if (!this.#isRetired) this.pump();
  }

  #welcome(sandbox: PooledSandbox, attempt: StartAttempt): void {
    if (sandbox.state !== "idle") return;
    this.#options.news?.onStarted(this.fn, this.#serving());
    sandbox.idleSince = this.#options.clock.now();
    if (attempt.keepMs !== null) sandbox.uses = AHEAD_USES;
    sandbox.keepMs = attempt.keepMs ?? this.#life.keepMs;
    sandbox.evictionMark = this.share.order.clock;
    if (this.#isRetired) {
      void sandbox.destroy("replaced");
      return;
    }
    this.#offer(sandbox, attempt);
    // With one more that is ready, another may be above the minimum.
    if (this.fn.settings.minSandboxes > 0) this.#options.room.onEvictable(this);
  }

  /** Starts what `minSandboxes` lacks. */
  keepMinimum(): void {
    const { minSandboxes } = this.fn.settings;
    if (minSandboxes === 0 || this.#isRetired || this.#minimum.isWaiting) return;
    let count = this.#unborn();
    for (const { state } of this.#sandboxes)
      if (state !== "dead" && state !== "draining") count += 1;
    for (; count < minSandboxes && this.#mayStart(); count += 1)
      if (!this.#begin(new StartAttempt(this.#options.clock.now()))) return;
  }
}
