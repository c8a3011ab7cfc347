import type { StartKind } from "../domain/invocation.ts";
import type { WarmResult } from "../link/messages.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import type { LeasePhases } from "../pool/queue.ts";
import { RevisionPool } from "../pool/revision-pool.ts";
import { refusalOf } from "./verdict.ts";

const noPhases: LeasePhases = { queueMs: 0, startMs: null, initMs: null };

/**
 * A sandbox of the pool's revision, or of the one that replaces it meanwhile, that has loaded the code: it waits as a caller does, within the same limits, and gives the
 * sandbox back unused. Where the code does not load, the result says what it said.
 */
export function warmUp(pool: RevisionPool): Promise<WarmResult> {
  return new Promise((resolve) => {
    pool.acquire({
      onLease(sandbox, startKind, phases) {
        // Not before the pool has handed over what it is handing over.
        queueMicrotask(() => {
          const owner = sandbox.owner instanceof RevisionPool ? sandbox.owner : pool;
          owner.release(sandbox);
          resolve(warmed(owner, sandbox, startKind, phases));
        });
      },
      onRefused(error) {
        const { revision } = pool.fn;
        const { code, message } = error;
        const { failure } = refusalOf(error);
        const said = failure === null ? { message } : failure;
        const result = { revision, startKind: null, sandboxId: null, phases: noPhases };
        resolve({ ...result, error: { code, ...said } });
      },
    });
  });
}

function warmed(
  { fn }: RevisionPool,
  { id: sandboxId }: PooledSandbox,
  startKind: StartKind,
  { queueMs, startMs, initMs }: LeasePhases,
): WarmResult {
  const { revision } = fn;
  return { revision, startKind, sandboxId, phases: { queueMs, startMs, initMs }, error: null };
}
