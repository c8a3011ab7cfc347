import type { DeployedFunction } from "../../src/domain/function.ts";
import { Pools } from "../../src/pool/pools.ts";
import type { RevisionPool } from "../../src/pool/revision-pool.ts";

/** The pools under test, and which of their revisions may still hand out sandboxes. */
export class ObservedPools extends Pools {
  readonly all = new Set<RevisionPool>();
  readonly retired = new Set<RevisionPool>();
  isClosed = false;

  override open(fn: DeployedFunction): RevisionPool {
    const pool = super.open(fn);
    this.all.add(pool);
    return pool;
  }

  override replace(old: RevisionPool, next: RevisionPool): void {
    this.retired.add(old);
    super.replace(old, next);
  }

  override remove(pool: RevisionPool): void {
    this.retired.add(pool);
    super.remove(pool);
  }

  override async close(): Promise<void> {
    this.isClosed = true;
    for (const pool of this.all) this.retired.add(pool);
    await super.close();
  }
}
