import { reservedMiBOf } from "../domain/function.ts";
import type { SamplePart } from "../domain/gateway-sample.ts";
import type { IdleSandboxes } from "./idle-sandboxes.ts";
import { EvictionOrder } from "./keep-alive/eviction-order.ts";
import type { MemoryHolder } from "./memory-budget.ts";
import type { RevisionPool } from "./revision-pool.ts";

/** What one project holds of the machine, and what of it waits. */
export class ProjectShare implements MemoryHolder {
  readonly project: string;
  /** Memory of its sandboxes, until they are confirmed gone. */
  heldMiB = 0;
  /** Starts under way. */
  starts = 0;
  /** When the last one began, in counts of starts. */
  servedAt = 0;
  /** Pools with callers who wait, those that were served last, last. */
  readonly waiting = new Set<RevisionPool>();
  /** Its idle sandboxes, the one to go first, first. */
  readonly order = new EvictionOrder<IdleSandboxes>();

  constructor(project: string) {
    this.project = project;
  }
}

/** All projects that have or had sandboxes. Each has the same right to memory and to slots for starts; what others do not want, one may use. */
export class ProjectShares {
  readonly #byName = new Map<string, ProjectShare>();
  #served = 0;

  of(project: string): ProjectShare {
    const known = this.#byName.get(project);
    if (known !== undefined) return known;
    const share = new ProjectShare(project);
    this.#byName.set(project, share);
    return share;
  }

  all(): Iterable<ProjectShare> {
    return this.#byName.values();
  }

  /** Callers who wait, by pool. */
  *queues(): Iterable<SamplePart> {
    for (const { waiting } of this.#byName.values())
      for (const { fn, queued } of waiting) {
        const { project, name: functionName, functionId, revision } = fn;
        const { driver } = fn.settings;
        yield { project, functionName, functionId, revision, driver, values: { queued } };
      }
  }

  /** A start begins: others of its project, and other projects, come before it now. */
  begun(pool: RevisionPool): void {
    const { share } = pool;
    this.#served += 1;
    share.starts += 1;
    share.servedAt = this.#served;
    if (share.waiting.delete(pool)) share.waiting.add(pool);
  }

  /** Whose turn it is to give up an idle sandbox: a pool of the project that holds most, of those that have one. */
  nextToEvict(): IdleSandboxes | null {
    let found: IdleSandboxes | null = null;
    let mostMiB = -1;
    for (const { heldMiB, order } of this.#byName.values()) {
      const first = heldMiB > mostMiB ? order.first() : null;
      if (first === null) continue;
      found = first;
      mostMiB = heldMiB;
    }
    return found;
  }

  /**
   * Gives everyone who waits a turn to begin one start, until nobody begins any more. Projects with the fewest starts under way come first, of these the one that holds
   * least, or was served longest ago; in a project the pool that waits longest since its last start.
   */
  serve(begin: (pool: RevisionPool) => boolean): void {
    const turns = new Map<ProjectShare, RevisionPool[]>();
    for (const share of this.#byName.values())
      if (share.waiting.size > 0) turns.set(share, [...share.waiting].reverse());
    while (turns.size > 0) {
      const share = leastServed(turns.keys());
      const queue = turns.get(share) as RevisionPool[];
      const pool = queue.pop();
      if (pool === undefined) turns.delete(share);
      else if (begin(pool)) queue.unshift(pool);
    }
  }

  /** Whether a caller of a project with less waits for memory, and would still have less with it, or has nothing at all: `holder` takes no more then. */
  owes(holder: ProjectShare, hungry: RevisionPool): boolean {
    const { share } = hungry;
    if (share === holder || !hungry.isInNeed) return false;
    const mib = share.heldMiB === 0 ? 1 : share.heldMiB + reservedMiBOf(hungry.fn.settings) + 1;
    return holder.heldMiB >= mib;
  }
}

function leastServed(shares: Iterable<ProjectShare>): ProjectShare {
  let least: ProjectShare | null = null;
  for (const share of shares) {
    if (least === null || isBefore(share, least)) least = share;
  }
  return least as ProjectShare;
}

function isBefore(one: ProjectShare, other: ProjectShare): boolean {
  if (one.starts !== other.starts) return one.starts < other.starts;
  if (one.heldMiB !== other.heldMiB) return one.heldMiB < other.heldMiB;
  return one.servedAt < other.servedAt;
}
