import type { EventLoop } from "../domain/clock.ts";
import { type DeployedFunction, reservedMiBOf } from "../domain/function.ts";
import type { SamplePart } from "../domain/gateway-sample.ts";
import type { Driver, RuntimeSpec } from "../drivers/driver.ts";
import { IsolaError } from "../errors.ts";
import type { BlankPoolStatus, PoolStatus } from "../link/messages.ts";
import { BLANK_MEMORY_MIB, type BlankPool } from "./blank-pool.ts";
import type { Evicted } from "./idle-sandboxes.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { type OpenPoolOptions, openOwnBlanks } from "./own-blanks.ts";
import type { PoolNews } from "./pool-news.ts";
import type { PoolRoom } from "./pool-room.ts";
import type { PooledSandbox, SandboxEvents, SandboxWatch } from "./pooled-sandbox.ts";
import { ProjectShares } from "./project-shares.ts";
import { shuttingDown } from "./refusals.ts";
import { SandboxCensus } from "./sandbox-census.ts";
import { RevisionPool } from "./revision-pool.ts";
import { SharedBlanks } from "./shared-blanks.ts";
import { Starter } from "./starter.ts";

export interface PoolsOptions {
  bootId: string;
  clock: EventLoop;
  /** By name; only those whose probe says available. More may be added while the gateway runs. */
  drivers: ReadonlyMap<string, Driver>;
  /** Of functions that name none: its blank sandboxes are kept before anybody needs them. */
  defaultDriver: string;
  /** By name, as revisions name them. */
  runtimes: ReadonlyMap<string, RuntimeSpec>;
  memoryBudgetMiB: number;
  startsAtOnceMax: number;
  queueLengthMax: number;
  /** Blank sandboxes kept per runtime family, on every driver that has them. */
  blanks: Record<RuntimeSpec["family"], number>;
  /** After this long without a need of them none is kept. */
  blankQuietMs: number;
  code(digest: string, bytes: number): Iterable<Buffer> | AsyncIterable<Buffer>;
  events: Omit<SandboxEvents, "onGone" | "onDead">;
  watch: SandboxWatch;
  /** Of functions, not of builds. */
  news?: PoolNews;
  onProblem(message: string): void;
}

/**
 * All pools of this gateway and what they share: the memory budget, the slots for starts, the blank sandboxes. Every decision is taken in one turn of the event
 * loop, so that claiming and evicting never see the same sandbox.
 */
export class Pools {
  readonly #options: PoolsOptions;
  readonly #budget: MemoryBudget;
  readonly #starter: Starter;
  readonly #census: SandboxCensus;
  readonly #blanks: SharedBlanks;
  /** All that have or may get sandboxes, also `#retired`. */
  readonly #pools = new Set<RevisionPool>();
  /** Those that keep `minSandboxes`. */
  readonly #kept = new Set<RevisionPool>();
  /** Replaced or deleted, until their last sandbox is gone. */
  readonly #retired = new Set<RevisionPool>();
  /** Pools whose callers wait for memory. */
  readonly #hungry = new Set<RevisionPool>();
  readonly #shares = new ProjectShares();
  readonly #room: PoolRoom;
  #starts = 0;
  #evictingMiB = 0;
  /** Of sandboxes that finish their calls and then go, for another project. */
  #yieldingMiB = 0;
  #isPumping = false;
  #isServing = false;
  #isClosed = false;

  constructor(options: PoolsOptions) {
    this.#options = options;
    this.#budget = new MemoryBudget(options.memoryBudgetMiB, () => this.#pumpSoon());
    const { bootId, clock, events, watch } = options;
    this.#census = new SandboxCensus(clock);
    const shared = { census: this.#census, budget: this.#budget };
    this.#starter = new Starter({ bootId, clock, events, watch, ...shared });
    this.#room = this.#makeRoom();
    this.#blanks = new SharedBlanks({
      ...options,
      starter: this.#starter,
      onReady: () => this.#feedHungry(),
      tryReserve: (mib) =>
        !this.#isClosed && this.#hungry.size === 0 && this.#budget.tryReserve(mib, null),
    });
  }

  get budget(): MemoryBudget {
    return this.#budget;
  }

  /** Begins to keep blank sandboxes. */
  start(): void {
    for (const blank of this.#blanks.all()) blank.refill();
  }

  /** A pool for the function's revision; throws `driver_unavailable` when the machine cannot run it. */
  open(fn: DeployedFunction, own: OpenPoolOptions = {}): RevisionPool {
    if (this.#isClosed) throw shuttingDown();
    const { clock, code, queueLengthMax, news, onProblem } = this.#options;
    // What only we use, builds and trials, is no news.
    const isOwn = own.equipment !== undefined || own.blanks !== undefined;
    const pool = new RevisionPool({
      fn,
      ...this.#needsOf(fn),
      ...own,
      ...(news && !isOwn && { news }),
      clock,
      code,
      queueLengthMax,
      onProblem,
      starter: this.#starter,
      room: this.#room,
      share: this.#shares.of(fn.project),
    });
    this.#pools.add(pool);
    if (fn.settings.minSandboxes > 0) this.#kept.add(pool);
    pool.pump();
    return pool;
  }

  /** One blank sandbox for a pool of its own, kept until it is closed. Throws `driver_unavailable`. */
  openBlanks(fn: DeployedFunction, onReady: () => void): BlankPool {
    if (this.#isClosed) throw shuttingDown();
    const { clock, onProblem } = this.#options;
    return openOwnBlanks({
      ...{ ...this.#needsOf(fn), clock, onProblem, onReady, starter: this.#starter },
      tryReserve: (mib) => !this.#isClosed && this.#budget.tryReserve(mib, null),
    });
  }

  #needsOf(fn: DeployedFunction): { driver: Driver; runtime: RuntimeSpec } {
    const driver = this.#options.drivers.get(fn.settings.driver);
    const runtime = this.#options.runtimes.get(fn.settings.runtime);
    if (driver !== undefined && runtime !== undefined) return { driver, runtime };
    const missing =
      driver === undefined ? `driver ${fn.settings.driver}` : `runtime ${fn.settings.runtime}`;
    const text = `${fn.name} needs the ${missing}, which this machine does not have; see \`isola doctor\``;
    throw new IsolaError("driver_unavailable", text);
  }

  /** Moves the waiting callers of `old` to `next`; calls under way finish on `old`. */
  replace(old: RevisionPool, next: RevisionPool): void {
    if (old.fn.functionId === next.fn.functionId) next.learnFrom(old);
    for (const entry of old.retire("replaced")) next.adopt(entry);
    this.#forget(old);
    this.#pumpSoon();
  }

  /** Refuses the waiting callers, with `error` where the function is not simply deleted; calls under way finish. */
  remove(
    pool: RevisionPool,
    error = new IsolaError("route_not_found", `the function ${pool.fn.name} was deleted`),
  ): void {
    for (const entry of pool.retire("deleted")) entry.waiter.onRefused(error);
    this.#forget(pool);
    this.#pumpSoon();
  }

  status(): { pools: PoolStatus[]; blankPools: BlankPoolStatus[] } {
    const pools = [...this.#pools].map((pool) => {
      const sandboxes: Record<string, number> = {};
      for (const { state } of pool.sandboxes) sandboxes[state] = (sandboxes[state] ?? 0) + 1;
      const { project, name, revision, settings } = pool.fn;
      return {
        project,
        revision,
        sandboxes,
        functionName: name,
        driver: settings.driver,
        queued: pool.queued,
        running: pool.running,
      };
    });
    return { pools, blankPools: [...this.#blanks.all()].map((blank) => blank.status) };
  }

  /** What there is now and was counted since this was asked last; sandboxes are asked what they use, for the next time. */
  sample(): SamplePart[] {
    const parts = this.#census.take();
    this.#census.read();
    return [...parts, ...this.#shares.queues()];
  }

  /** Destroys every sandbox; nothing can be opened afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([
      ...[...this.#blanks.all()].map((blank) => blank.close()),
      ...[...this.#pools].map((pool) => pool.close()),
    ]);
  }

  #forget(pool: RevisionPool): void {
    this.#retired.add(pool);
    this.#kept.delete(pool);
    this.#hungry.delete(pool);
    pool.share.order.remove(pool.idle);
  }

  #makeRoom(): PoolRoom {
    const { memoryBudgetMiB } = this.#options;
    return {
      takeBlank: (pool) => this.#takeBlank(pool),
      reserve: (mib, pool) => this.#reserveFor(pool, mib),
      reserveFree: (mib, { share }) => this.#budget.tryReserve(mib, share),
      isMemoryAtRest: () => this.#hungry.size === 0,
      hasRoomAhead: (pool) => this.#hasRoomAhead(pool),
      hasStartSlot: () => this.#hasStartSlot(),
      takeStartSlot: (pool) => {
        this.#starts += 1;
        this.#shares.begun(pool);
        this.#blanksFor(pool)?.noteNeed();
      },
      freeStartSlot: (pool) => {
        this.#starts -= 1;
        pool.share.starts -= 1;
        this.#pumpSoon();
      },
      onEvictable: (pool) => {
        pool.share.order.offer(pool.idle);
        this.#feedHungry();
      },
      mustYield: (pool) => this.#mustYield(pool),
      onYielded: (pool) => {
        this.#yieldingMiB -= reservedMiBOf(pool.fn.settings);
      },
      onQueued: (pool) => pool.share.waiting.add(pool),
      onQueueEmpty: (pool) => {
        pool.share.waiting.delete(pool);
        if (this.#hungry.delete(pool)) this.#pumpSoon();
      },
      memoryMiBMax: memoryBudgetMiB,
    };
  }

  /** Whoever comes while others are about to be served is served with them. */
  #hasStartSlot(): boolean {
    const isInTurn = this.#isServing || !this.#isPumping;
    return !this.#isClosed && isInTurn && this.#starts < this.#options.startsAtOnceMax;
  }

  #hasRoomAhead(pool: RevisionPool): boolean {
    const blank = this.#blanksFor(pool);
    const isBlank = (blank?.status.ready ?? 0) > 0;
    const freeMiB = this.#budget.freeMiB + (isBlank && blank !== null ? blank.reservedMiB : 0);
    const isEnough = freeMiB >= reservedMiBOf(pool.fn.settings);
    return this.#hungry.size === 0 && this.#hasStartSlot() && isEnough;
  }

  #blanksFor({ fn, blanks }: RevisionPool): BlankPool | null {
    return blanks === undefined ? this.#blanks.poolFor(fn) : blanks;
  }

  /** Nobody is evicted for a blank sandbox that no caller waits for. */
  #takeBlank(pool: RevisionPool): PooledSandbox | null {
    const extraMiB = pool.fn.settings.memoryMiB - BLANK_MEMORY_MIB;
    const mayTake = () =>
      pool.queued > 0
        ? this.#reserve(pool, extraMiB)
        : this.#budget.tryReserve(extraMiB, pool.share);
    const sandbox = this.#blanksFor(pool)?.take(mayTake) ?? null;
    if (sandbox !== null) {
      pool.share.heldMiB += sandbox.reservedMiB;
      sandbox.reservedMiB += extraMiB;
      sandbox.holder = pool.share;
      this.#hungry.delete(pool);
      this.#feedHungry();
    }
    return sandbox;
  }

  /**
   * While a caller waits for memory, what becomes free is not given to blank sandboxes. Nobody waits for the sandboxes of `minSandboxes`: others are evicted for
   * them only where that is enough.
   */
  #reserveFor(pool: RevisionPool, mib: number): boolean {
    if (pool.queued === 0) {
      if (this.#budget.tryReserve(mib, pool.share)) return true;
      if (!this.#canFree(mib)) return false;
    }
    if (!this.#reserve(pool, mib)) {
      this.#hungry.add(pool);
      return false;
    }
    this.#hungry.delete(pool);
    this.#feedHungry();
    return true;
  }

  #canFree(mib: number): boolean {
    let mostMiB = this.#budget.freeMiB + this.#evictingMiB;
    for (const pool of this.#pools) mostMiB += pool.idle.evictableMiB;
    for (const blank of this.#blanks.all()) mostMiB += blank.status.ready * blank.reservedMiB;
    return mostMiB >= mib;
  }

  /** Something can be evicted that could not before, or what was evicted for one has gone to another: whoever waits for memory looks again. */
  #feedHungry(): void {
    if (this.#hungry.size > 0) this.#pumpSoon();
  }

  /** What is free and owed to a project that has less is not taken, and nobody is evicted in its place. */
  #reserve(pool: RevisionPool, mib: number): boolean {
    if (this.#isOwedToOthers(pool)) return false;
    if (this.#budget.tryReserve(mib, pool.share)) return true;
    while (this.#budget.freeMiB + this.#evictingMiB < mib) {
      const victim = this.#evictOne();
      if (victim === null) break;
      this.#evictingMiB += victim.memoryMiB;
      void victim.gone.then(() => {
        this.#evictingMiB -= victim.memoryMiB;
      });
    }
    return false;
  }

  #isOwedToOthers({ share }: RevisionPool): boolean {
    for (const hungry of this.#hungry) if (this.#shares.owes(share, hungry)) return true;
    return false;
  }

  /** As much as those who have less need, and no more. */
  #mustYield(pool: RevisionPool): boolean {
    const comingMiB = this.#budget.freeMiB + this.#evictingMiB + this.#yieldingMiB;
    for (const hungry of this.#hungry) {
      const isEnough = comingMiB >= reservedMiBOf(hungry.fn.settings);
      if (isEnough || !this.#shares.owes(pool.share, hungry)) continue;
      this.#yieldingMiB += reservedMiBOf(pool.fn.settings);
      return true;
    }
    return false;
  }

  /** An idle sandbox of the project that holds most; then blank ones. */
  #evictOne(): Evicted | null {
    const victim = this.#shares.nextToEvict()?.evict() ?? null;
    if (victim !== null) return victim;
    for (const blank of this.#blanks.all()) {
      const given = blank.surrender();
      if (given !== null) return given;
    }
    return null;
  }

  /** Once per turn: whoever waits looks again, in turn; then what is kept ready without a caller. */
  #pumpSoon(): void {
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    this.#options.clock.soon(() => {
      this.#isPumping = false;
      if (this.#isClosed) return;
      this.#forgetEmpty();
      for (const pool of this.#hungry) if (!pool.isInNeed) this.#hungry.delete(pool);
      this.#serve();
      for (const blank of this.#blanks.all()) blank.refill();
    });
  }

  #serve(): void {
    this.#isServing = true;
    try {
      this.#shares.serve((pool) => pool.startOne());
      for (const pool of this.#kept) pool.keepMinimum();
    } finally {
      this.#isServing = false;
    }
  }

  #forgetEmpty(): void {
    for (const pool of this.#retired)
      if (pool.sandboxes.size === 0 && pool.starting === 0) {
        this.#retired.delete(pool);
        this.#pools.delete(pool);
      }
  }
}
