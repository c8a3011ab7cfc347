import type { RevisionPool } from "../../src/pool/revision-pool.ts";
import { BLANK_MIB } from "./deployment.ts";
import type { Ledger } from "./ledger.ts";
import type { ObservedPools } from "./observed-pools.ts";
import type { SimulatedSandbox } from "./simulated-sandbox.ts";
import type { Watch } from "./watch.ts";

/** The limits of one run that all pools share. */
export interface SharedLimits {
  memoryBudgetMiB: number;
  startsAtOnceMax: number;
  queueLengthMax: number;
  blanks: { nodejs: number; python: number };
}

/** What is promised of all sandboxes together: memory, numbers, slots; that nobody waits in vain; and what is left in the end. */
export class Balance {
  readonly #pools: ObservedPools;
  readonly #ledger: Ledger;
  readonly #sandboxes: ReadonlyMap<string, SimulatedSandbox>;
  readonly #limits: SharedLimits;
  readonly #watch: Watch;

  constructor(
    given: {
      pools: ObservedPools;
      ledger: Ledger;
      sandboxes: ReadonlyMap<string, SimulatedSandbox>;
      watch: Watch;
    },
    limits: SharedLimits,
  ) {
    this.#pools = given.pools;
    this.#ledger = given.ledger;
    this.#sandboxes = given.sandboxes;
    this.#watch = given.watch;
    this.#limits = limits;
  }

  /** True at any moment. */
  check(): void {
    this.#checkMemory();
    this.#checkShares();
    this.#checkCounts();
    for (const pool of this.#pools.all) this.#checkPool(pool);
  }

  /** True before time passes: whoever could go on has gone on. */
  checkNobodyWaitsInVain(): void {
    if (this.#pools.isClosed) return;
    const starting = this.#starting();
    if (starting >= this.#limits.startsAtOnceMax) return;
    for (const pool of this.#pools.all) {
      const { maxSandboxes, concurrency, memoryMiB } = pool.fn.settings;
      if (pool.queued <= pool.starting * concurrency) continue;
      if (pool.sandboxes.size + pool.starting >= maxSandboxes) continue;
      if (this.#isOwedToOthers(pool)) continue;
      const { name } = pool.fn;
      this.#watch.check(
        this.#freeMiB() < memoryMiB,
        () => `a caller of ${name} waits, and memory, a slot and a place are there`,
      );
      const dyingMiB = this.#dyingMiB();
      if (this.#freeMiB() + dyingMiB >= memoryMiB) continue;
      for (const other of this.#pools.all)
        this.#watch.check(
          other.idle.longest() === null,
          () => `a caller of ${name} waits for memory, and ${other.fn.name} has an idle sandbox`,
        );
      for (const { runtime, ready } of this.#pools.status().blankPools)
        this.#watch.check(
          ready === 0,
          () => `a caller of ${name} waits for memory, and a blank ${runtime} sandbox is there`,
        );
    }
  }

  /** True when nothing happens any more and nothing fails. */
  checkRest(timers: number): void {
    this.#watch.check(timers === 0, () => `${timers} timers are left`);
    for (const pool of this.#pools.all) this.#checkPoolAtRest(pool);
    this.checkBlanks();
  }

  /** True when nothing fails, some time after the last need. */
  checkBlanks(): void {
    for (const { runtime, ready, starting, target } of this.#pools.status().blankPools) {
      this.#watch.check(
        (ready === target && starting === 0) || this.#freeMiB() < BLANK_MIB,
        () => `${ready} blank ${runtime} sandboxes wait, ${starting} start, not ${target}`,
      );
      this.#watch.check(
        ready <= target,
        () => `${ready} blank ${runtime} sandboxes, not ${target}`,
      );
    }
  }

  /** True after `close`. */
  checkEmpty(timers: number): void {
    const alive = [...this.#sandboxes.values()].filter(({ isAlive }) => isAlive);
    this.#watch.check(alive.length === 0, () => `${alive[0]?.id} lives after the end`);
    this.#watch.check(this.#ledger.held.size === 0, () => "sandboxes are left after the end");
    this.#watch.check(timers === 0, () => `${timers} timers are left after the end`);
  }

  #checkMemory(): void {
    const { budget } = this.#pools;
    const heldMiB = this.#ledger.memoryMiB;
    this.#watch.check(
      budget.reservedMiB === heldMiB,
      () => `${budget.reservedMiB} MiB are reserved, and what exists takes ${heldMiB} MiB`,
    );
    this.#watch.check(
      heldMiB <= this.#limits.memoryBudgetMiB,
      () => `${heldMiB} MiB are taken, the budget is ${this.#limits.memoryBudgetMiB} MiB`,
    );
  }

  /** Each project is charged with what it has on the machine. */
  #checkShares(): void {
    const heldMiB = this.#heldMiB();
    const projects = new Set<string>();
    for (const { share } of this.#pools.all) {
      const { project } = share;
      if (projects.has(project)) continue;
      projects.add(project);
      const mib = heldMiB.get(project) ?? 0;
      this.#watch.check(
        share.heldMiB === mib,
        () => `project ${project} is charged with ${share.heldMiB} MiB, and has ${mib}`,
      );
    }
  }

  /** By project. */
  #heldMiB(): Map<string, number> {
    const bySize = new Map<number, string>();
    for (const { fn } of this.#pools.all) bySize.set(fn.settings.memoryMiB, fn.project);
    const sums = new Map<string, number>();
    for (const { claimedMiB, startedMiB } of this.#ledger.held.values()) {
      const mib = claimedMiB ?? startedMiB;
      const project = bySize.get(mib);
      if (project !== undefined) sums.set(project, (sums.get(project) ?? 0) + mib);
    }
    return sums;
  }

  /** A caller of a project that has less waits for memory, too. */
  #isOwedToOthers({ fn }: RevisionPool): boolean {
    const all = this.#heldMiB();
    const heldMiB = all.get(fn.project) ?? 0;
    for (const other of this.#pools.all) {
      const { project, settings } = other.fn;
      const isWaiting = other.queued > other.starting * settings.concurrency;
      if (project === fn.project || !isWaiting) continue;
      const theirsMiB = all.get(project) ?? 0;
      const leastMiB = theirsMiB === 0 ? 1 : theirsMiB + settings.memoryMiB + 1;
      if (heldMiB >= leastMiB) return true;
    }
    return false;
  }

  #checkCounts(): void {
    const perRevision = new Map<number, number>();
    let starts = 0;
    for (const held of this.#ledger.held.values()) {
      const mib = held.claimedMiB ?? held.startedMiB;
      if (mib === BLANK_MIB) continue;
      perRevision.set(mib, (perRevision.get(mib) ?? 0) + 1);
      const inside = this.#sandboxes.get(held.id);
      if (!held.isDestroyed && inside?.isReady !== true) starts += 1;
    }
    this.#watch.check(
      starts <= this.#limits.startsAtOnceMax,
      () => `${starts} starts at once, at most ${this.#limits.startsAtOnceMax} may be`,
    );
    for (const { fn } of this.#pools.all) {
      const count = perRevision.get(fn.settings.memoryMiB) ?? 0;
      this.#watch.check(
        count <= fn.settings.maxSandboxes,
        () => `${fn.name} has ${count} sandboxes, at most ${fn.settings.maxSandboxes} may be`,
      );
    }
  }

  #checkPool(pool: RevisionPool): void {
    const { fn, queued } = pool;
    const check = (isRight: boolean, what: string) =>
      this.#watch.check(isRight, () => `${fn.name} revision ${fn.revision} ${what}`);
    let running = 0;
    let isRoom = false;
    for (const sandbox of pool.sandboxes) {
      const isOpen = sandbox.isIdle || sandbox.state === "busy";
      const hasRoom = isOpen && sandbox.running < fn.settings.concurrency;
      running += sandbox.running;
      isRoom ||= sandbox.isListed;
      check(sandbox.isListed === hasRoom, `lists ${sandbox.id} wrongly (${sandbox.state})`);
      check(sandbox.running >= 0 && sandbox.running <= fn.settings.concurrency, "overflows");
    }
    check(pool.running >= running, `counts ${pool.running} calls, and ${running} run`);
    check(queued <= this.#limits.queueLengthMax, `has ${queued} callers in its queue`);
    check(queued === 0 || !isRoom, "has callers who wait, and room");
    check(queued === 0 || !this.#pools.retired.has(pool), "is over, and callers wait");
  }

  #checkPoolAtRest(pool: RevisionPool): void {
    const { fn } = pool;
    const { minSandboxes, memoryMiB } = fn.settings;
    const count = pool.sandboxes.size;
    const isOver = this.#pools.retired.has(pool);
    const check = (isRight: boolean, what: string) =>
      this.#watch.check(isRight, () => `${fn.name} revision ${fn.revision} ${what} at rest`);
    check(pool.queued === 0, `has ${pool.queued} callers in its queue`);
    check(pool.running === 0, `counts ${pool.running} calls`);
    check(pool.starting === 0, `starts ${pool.starting} sandboxes`);
    check(count <= (isOver ? 0 : minSandboxes), `has ${count} sandboxes, not ${minSandboxes}`);
    if (isOver) return;
    const isFull = this.#freeMiB() < memoryMiB;
    check(count === minSandboxes || isFull, `has ${count} sandboxes, not ${minSandboxes}`);
  }

  #starting(): number {
    let starting = 0;
    for (const pool of this.#pools.all) starting += pool.starting;
    return starting;
  }

  #freeMiB(): number {
    return this.#limits.memoryBudgetMiB - this.#pools.budget.reservedMiB;
  }

  #dyingMiB(): number {
    let mib = 0;
    for (const held of this.#ledger.held.values())
      if (held.isDestroyed) mib += held.claimedMiB ?? held.startedMiB;
    return mib;
  }
}
