import type { EventLoop } from "../domain/clock.ts";
import type { DeployedFunction } from "../domain/function.ts";
import { settingLimits } from "../domain/limits.ts";
import type { Driver, RuntimeSpec, SandboxSocket } from "../drivers/driver.ts";
import { IsolaError } from "../errors.ts";
import type { BlankPoolStatus, PoolStatus } from "../link/messages.ts";
import { BLANK_MEMORY_MIB, BlankPool } from "./blank-pool.ts";
import { MemoryBudget } from "./memory-budget.ts";
import type { PooledSandbox, SandboxEvents, SandboxWatch } from "./pooled-sandbox.ts";
import { type PoolRoom, RevisionPool } from "./revision-pool.ts";
import { Starter } from "./starter.ts";

export interface PoolsOptions {
  bootId: string;
  clock: EventLoop;
  /** By name; only those whose probe says available. */
  drivers: ReadonlyMap<string, Driver>;
  /** By name, as revisions name them. */
  runtimes: ReadonlyMap<string, RuntimeSpec>;
  memoryBudgetMiB: number;
  startsAtOnceMax: number;
  queueLengthMax: number;
  /** Blank sandboxes kept per runtime family, on every driver that has them. */
  blanks: Record<RuntimeSpec["family"], number>;
  code(digest: string, bytes: number): Iterable<Buffer> | AsyncIterable<Buffer>;
  events: Omit<SandboxEvents, "onGone">;
  watch: SandboxWatch;
  onProblem(message: string): void;
}

/** Of the runtime as functions have it: what this one sandbox has. */
export type Equip = (runtime: RuntimeSpec) => { runtime: RuntimeSpec; sockets?: SandboxSocket[] };

/**
 * All pools of this gateway and what they share: the memory budget, the slots for starts, the blank sandboxes. Every decision is taken in one turn of the event
 * loop, so that claiming and evicting never see the same sandbox.
 */
export class Pools {
  readonly #options: PoolsOptions;
  readonly #budget: MemoryBudget;
  readonly #starter: Starter;
  readonly #blanks: BlankPool[] = [];
  readonly #blankByKey = new Map<string, BlankPool>();
  /** All that have or may get sandboxes, also `#retired`. */
  readonly #pools = new Set<RevisionPool>();
  /** Replaced or deleted, until their last sandbox is gone. */
  readonly #retired = new Set<RevisionPool>();
  /** Pools whose callers wait for memory. */
  readonly #hungry = new Set<RevisionPool>();
  readonly #room: PoolRoom;
  #starts = 0;
  #evictingMiB = 0;
  #isPumping = false;
  #isClosed = false;

  constructor(options: PoolsOptions) {
    this.#options = options;
    this.#budget = new MemoryBudget(options.memoryBudgetMiB, () => this.#pumpSoon());
    const { bootId, clock, events, watch } = options;
    this.#starter = new Starter({ bootId, clock, events, watch, budget: this.#budget });
    this.#room = this.#makeRoom();
    this.#makeBlankPools();
  }

  get budget(): MemoryBudget {
    return this.#budget;
  }

  /** Begins to keep blank sandboxes. */
  start(): void {
    for (const blank of this.#blanks) blank.refill();
  }

  /** A pool for the function's revision; throws `driver_unavailable` when the machine cannot run it. `equip`: a build gets more than a function. */
  open(fn: DeployedFunction, equip: Equip = (runtime) => ({ runtime })): RevisionPool {
    if (this.#isClosed)
      throw new IsolaError("shutting_down", "the server is stopping and starts nothing any more");
    const { drivers, runtimes, clock, code, queueLengthMax, onProblem } = this.#options;
    const driver = drivers.get(fn.settings.driver);
    const found = runtimes.get(fn.settings.runtime);
    if (driver === undefined || found === undefined) {
      const missing =
        driver === undefined ? `driver ${fn.settings.driver}` : `runtime ${fn.settings.runtime}`;
      const text = `${fn.name} needs the ${missing}, which this machine does not have; see \`isola doctor\``;
      throw new IsolaError("driver_unavailable", text);
    }
    const pool = new RevisionPool({
      fn,
      driver,
      ...equip(found),
      clock,
      code,
      queueLengthMax,
      onProblem,
      starter: this.#starter,
      room: this.#room,
    });
    this.#pools.add(pool);
    pool.pump();
    return pool;
  }

  /** Moves the waiting callers of `old` to `next`; calls under way finish on `old`. */
  replace(old: RevisionPool, next: RevisionPool): void {
    for (const entry of old.retire("replaced")) next.adopt(entry);
    this.#retired.add(old);
    this.#hungry.delete(old);
    this.#pumpSoon();
  }

  /** Refuses the waiting callers; calls under way finish. */
  remove(pool: RevisionPool): void {
    const error = new IsolaError("route_not_found", `the function ${pool.fn.name} was deleted`);
    for (const entry of pool.retire("deleted")) entry.waiter.onRefused(error);
    this.#retired.add(pool);
    this.#hungry.delete(pool);
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
    return { pools, blankPools: this.#blanks.map((blank) => blank.status) };
  }

  /** Destroys every sandbox; nothing can be opened afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([
      ...this.#blanks.map((blank) => blank.close()),
      ...[...this.#pools].map((pool) => pool.close()),
    ]);
  }

  #makeRoom(): PoolRoom {
    const { memoryBudgetMiB, startsAtOnceMax } = this.#options;
    return {
      takeBlank: (pool) => this.#takeBlank(pool),
      reserve: (mib, pool) => this.#reserveFor(pool, mib),
      hasStartSlot: () => !this.#isClosed && this.#starts < startsAtOnceMax,
      takeStartSlot: (fn) => {
        this.#starts += 1;
        this.#blanksFor(fn)?.noteNeed();
      },
      freeStartSlot: () => this.#freeStartSlot(),
      onEvictable: () => this.#feedHungry(),
      onQueueEmpty: (pool) => {
        if (this.#hungry.has(pool)) this.#pumpSoon();
      },
      memoryMiBMax: memoryBudgetMiB,
    };
  }

  #makeBlankPools(): void {
    const { drivers, runtimes, blanks, clock, onProblem } = this.#options;
    for (const driver of drivers.values())
      for (const runtime of runtimes.values()) {
        const blank = new BlankPool({
          driver,
          runtime,
          clock,
          onProblem,
          base: blanks[runtime.family],
          onReady: () => this.#feedHungry(),
          starter: this.#starter,
          tryReserve: (mib) =>
            !this.#isClosed && this.#hungry.size === 0 && this.#budget.tryReserve(mib),
        });
        this.#blanks.push(blank);
        this.#blankByKey.set(`${driver.name}/${runtime.name}`, blank);
      }
  }

  #blanksFor({ settings }: DeployedFunction): BlankPool | null {
    if (settings.tmpMiB !== settingLimits.tmpMiB.default) return null;
    return this.#blankByKey.get(`${settings.driver}/${settings.runtime}`) ?? null;
  }

  /** Nobody is evicted for a blank sandbox that no caller waits for. */
  #takeBlank(pool: RevisionPool): PooledSandbox | null {
    const { memoryMiB } = pool.fn.settings;
    const extraMiB = memoryMiB - BLANK_MEMORY_MIB;
    const mayTake = () =>
      pool.queued > 0 ? this.#reserve(extraMiB) : this.#budget.tryReserve(extraMiB);
    const sandbox = this.#blanksFor(pool.fn)?.take(mayTake) ?? null;
    if (sandbox !== null) {
      sandbox.reservedMiB = memoryMiB;
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
    if (pool.queued === 0 && !this.#canFree(mib)) return this.#budget.tryReserve(mib);
    if (!this.#reserve(mib)) {
      this.#hungry.add(pool);
      return false;
    }
    this.#hungry.delete(pool);
    this.#feedHungry();
    return true;
  }

  #canFree(mib: number): boolean {
    let mostMiB = this.#budget.totalMiB - this.#budget.reservedMiB + this.#evictingMiB;
    for (const pool of this.#pools) mostMiB += pool.evictableMiB;
    for (const blank of this.#blanks) mostMiB += blank.status.ready * BLANK_MEMORY_MIB;
    return mostMiB >= mib;
  }

  /** Something can be evicted that could not before, or what was evicted for one has gone to another: whoever waits for memory looks again. */
  #feedHungry(): void {
    if (this.#hungry.size > 0) this.#pumpSoon();
  }

  #freeStartSlot(): void {
    this.#starts -= 1;
    this.#pumpSoon();
  }

  #reserve(mib: number): boolean {
    if (this.#budget.tryReserve(mib)) return true;
    const freeMiB = this.#budget.totalMiB - this.#budget.reservedMiB;
    while (freeMiB + this.#evictingMiB < mib) {
      const victim = this.#evictOne();
      if (victim === null) break;
      this.#evictingMiB += victim.memoryMiB;
      void victim.gone.then(() => {
        this.#evictingMiB -= victim.memoryMiB;
      });
    }
    return false;
  }

  /** The longest idle sandbox of any pool; then blank ones. */
  #evictOne(): { memoryMiB: number; gone: Promise<void> } | null {
    let oldest: PooledSandbox | null = null;
    for (const pool of this.#pools) {
      const candidate = pool.longestIdle();
      if (candidate !== null && (oldest === null || candidate.idleSince < oldest.idleSince))
        oldest = candidate;
    }
    if (oldest !== null)
      return {
        memoryMiB: oldest.reservedMiB,
        gone: oldest.destroy("evicted", "memory was needed"),
      };
    for (const blank of this.#blanks) {
      const given = blank.surrender();
      if (given !== null) return given;
    }
    return null;
  }

  /** Once per turn: whoever waits looks again, in turn, the longest waiting pool first; then what is kept ready without a caller. */
  #pumpSoon(): void {
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    this.#options.clock.soon(() => {
      this.#isPumping = false;
      if (this.#isClosed) return;
      this.#forgetEmpty();
      for (const pool of [...this.#pools]) {
        if (pool.queued === 0) {
          this.#hungry.delete(pool);
          continue;
        }
        this.#pools.delete(pool);
        this.#pools.add(pool);
        pool.pump();
      }
      for (const pool of this.#pools) pool.keepMinimum();
      for (const blank of this.#blanks) blank.refill();
    });
  }

  #forgetEmpty(): void {
    for (const pool of this.#retired)
      if (pool.sandboxes.size === 0 && pool.starting === 0) {
        this.#retired.delete(pool);
        this.#pools.delete(pool);
      }
  }
}
