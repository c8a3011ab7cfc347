import { setTimeout as delay } from "node:timers/promises";
import { systemClock as clock } from "../domain/clock.ts";
import type { DeployedFunction } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import type { StartFrom, TrialParams, TrialSandbox } from "../link/trial-messages.ts";
import type { BlankPool } from "../pool/blank-pool.ts";
import type { Pools } from "../pool/pools.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import type { RevisionPool } from "../pool/revision-pool.ts";
import { type Destination, FunctionEntry } from "./function-table.ts";
import { type CallerLimits, Listener } from "./listener.ts";
import type { InvocationContext } from "./invocation-context.ts";
import { SandboxLogs } from "./sandbox-logs.ts";

const BLANK_WAIT_MS = 60_000;
/** A blank sandbox goes on loading what functions need for a moment; in life they wait for longer. */
const BLANK_REST_MS = 1000;
const STARTS_WAIT_MS = 120_000;
const END_WAIT_MS = 15_000;
const STEP_MS = 5;

export interface TrialOptions extends TrialParams {
  pools: Pools;
  /** Where it listens; only this user may get there. */
  socketPath: string;
  limits: CallerLimits;
  newId: () => string;
  onProblem(message: string): void;
}

/**
 * A function on a listener of its own, with a pool of its own: `open -> closed`. Its calls take the way of all others but for the route and the record; they take no
 * place from the calls of others.
 */
export class Trial {
  readonly id: string;
  readonly startKinds: Record<string, number> = {};
  /** Lines are read, as those of every function, and go nowhere. */
  readonly logs = new SandboxLogs({ clock, onRecord: () => {}, onStray: () => {} });
  readonly #options: TrialOptions;
  readonly #listener: Listener;
  /** The latest, and those whose sandboxes still end. */
  readonly #pools = new Set<RevisionPool>();
  #pool: RevisionPool;
  #blanks: BlankPool | null = null;
  #isClosed = false;

  constructor(options: TrialOptions) {
    this.id = options.id;
    this.#options = options;
    this.#pool = this.#openPool(options.fn);
    this.#listener = this.#makeListener();
  }

  async listen(): Promise<void> {
    await this.#listener.listen();
  }

  /** Its sandboxes end before another can start. Rejects with `sandbox_start_failed` where no blank one comes. */
  async renew(from: StartFrom): Promise<void> {
    await this.#endPool();
    if (from === "blank") await this.#blankReady();
    else await this.#endBlanks();
    this.#pool = this.#openPool(this.#options.fn);
  }

  /** Resolves with how long it took. */
  async startMany(sandboxes: number): Promise<{ seconds: number }> {
    await this.#endPool();
    await this.#endBlanks();
    const { fn } = this.#options;
    const settings = { ...fn.settings, minSandboxes: sandboxes, maxSandboxes: sandboxes };
    const startedAt = clock.now();
    this.#pool = this.#openPool({ ...fn, settings });
    const ready = () => [...this.#pool.sandboxes].filter((each) => each.ready !== null);
    await this.#until(
      () => ready().length >= sandboxes,
      STARTS_WAIT_MS,
      () => {
        const text = `${ready().length} of ${sandboxes} sandboxes were ready after ${STARTS_WAIT_MS} ms`;
        return new IsolaError("sandbox_start_failed", text);
      },
    );
    const lastAt = Math.max(...ready().map(({ readyAt }) => readyAt));
    return { seconds: (lastAt - startedAt) / 1000 };
  }

  async usage(): Promise<TrialSandbox[]> {
    const living = [...this.#pool.sandboxes].filter(({ state }) => state !== "dead");
    return await Promise.all(
      living.map(async (sandbox) => {
        const { memoryBytes, cpuMicros } = await sandbox.usage();
        return { id: sandbox.id, memoryBytes, cpuMicros };
      }),
    );
  }

  owns(sandbox: PooledSandbox): boolean {
    return this.#pools.has(sandbox.owner as RevisionPool);
  }

  /** Calls under way are cut. Resolves when nothing is left, as far as that can be seen in time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#endPool();
    await this.#endBlanks();
    await this.#listener.close();
  }

  #openPool(fn: DeployedFunction): RevisionPool {
    if (this.#isClosed) throw new IsolaError("cancelled", "the trial has ended");
    const pool = this.#options.pools.open(fn, { blanks: this.#blanks });
    this.#pools.add(pool);
    return pool;
  }

  async #endPool(): Promise<void> {
    const pool = this.#pool;
    this.#options.pools.remove(pool, new IsolaError("cancelled", "the trial goes on or has ended"));
    await pool.close();
    const isEmpty = () => pool.sandboxes.size === 0 && pool.starting === 0;
    await this.#until(isEmpty, END_WAIT_MS, () => {
      const text = `sandboxes of a trial did not end within ${END_WAIT_MS} ms`;
      return new IsolaError("internal_error", text);
    });
    this.#pools.delete(pool);
  }

  async #blankReady(): Promise<void> {
    const { pools, fn } = this.#options;
    this.#blanks ??= pools.openBlanks(fn, () => {});
    const blanks = this.#blanks;
    blanks.refill();
    await this.#until(
      () => blanks.status.ready > 0,
      BLANK_WAIT_MS,
      () => {
        const text = `no blank sandbox was ready within ${BLANK_WAIT_MS} ms; the log says why`;
        return new IsolaError("sandbox_start_failed", text);
      },
    );
    await delay(BLANK_REST_MS);
  }

  async #endBlanks(): Promise<void> {
    await this.#blanks?.close();
    this.#blanks = null;
  }

  async #until(holds: () => boolean, waitMs: number, problem: () => IsolaError): Promise<void> {
    const giveUpAt = clock.now() + waitMs;
    while (!holds()) {
      if (clock.now() > giveUpAt) throw problem();
      await delay(STEP_MS);
    }
  }

  #makeListener(): Listener {
    const { fn, kind, socketPath, limits, newId, onProblem } = this.#options;
    const entry = new FunctionEntry(fn);
    const context: InvocationContext = {
      clock,
      logs: this.logs,
      onDone: (_call, { startKind }) => {
        const name = startKind ?? "none";
        this.startKinds[name] = (this.startKinds[name] ?? 0) + 1;
      },
      onLateFrame: () => {},
    };
    const find = (method: string, path: string): Destination => ({
      ...{ entry, path, prefix: "", routeKey: `${method} ${path}`, pathParameters: "" },
      isEvent: kind === "event",
    });
    const table = { find, poolOf: () => this.#pool, methodsFor: () => [] };
    const at = { path: socketPath };
    return new Listener({
      ...{ at, limits, table, context, newId, onProblem },
      admit: () => {},
      trustedProxies: [],
      traces: null,
    });
  }
}
