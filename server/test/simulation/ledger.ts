import { MiB } from "../../src/domain/limits.ts";
import type { Driver, Sandbox, SandboxLimits, SandboxSpec } from "../../src/drivers/driver.ts";
import type { Watch } from "./watch.ts";

/** One sandbox as the machine knows it, whatever the pools believe. */
export interface Held {
  id: string;
  /** As started: a function's own size, or that of a blank sandbox. */
  startedMiB: number;
  /** As claimed; null before. */
  claimedMiB: number | null;
  isDestroyed: boolean;
  sandbox: Sandbox | null;
}

/** What is taken on the machine: starts under way, and sandboxes until their end is confirmed. Stands between the pools and their driver and counts on its own. */
export class Ledger {
  readonly held = new Map<string, Held>();
  readonly #watch: Watch;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  get memoryMiB(): number {
    let sum = 0;
    for (const { startedMiB, claimedMiB } of this.held.values()) sum += claimedMiB ?? startedMiB;
    return sum;
  }

  watched(driver: Driver): Driver {
    return {
      name: driver.name,
      probe: () => driver.probe(),
      sweep: () => driver.sweep(),
      close: () => driver.close(),
      start: (spec, signal) => this.#start(driver, spec, signal),
    };
  }

  async #start(driver: Driver, spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    const held: Held = {
      id: spec.id,
      startedMiB: sizeOf(spec.limits),
      claimedMiB: null,
      isDestroyed: false,
      sandbox: null,
    };
    this.held.set(spec.id, held);
    try {
      const sandbox = await driver.start(spec, signal);
      held.sandbox = sandbox;
      return this.#observed(sandbox, held);
    } catch (error) {
      this.held.delete(spec.id);
      this.#watch.say(() => `${spec.id} could not be started: ${String(error)}`);
      throw error;
    }
  }

  #observed(sandbox: Sandbox, held: Held): Sandbox {
    const { id, taskRoot, control, stdout, stderr, exited } = sandbox;
    return {
      id,
      taskRoot,
      control,
      stdout,
      stderr,
      exited,
      applyLimits: (limits) => {
        this.#watch.check(held.claimedMiB === null, () => `${id} was claimed twice`);
        held.claimedMiB = sizeOf(limits);
        return sandbox.applyLimits(limits);
      },
      usage: () => sandbox.usage(),
      destroy: async (reason) => {
        held.isDestroyed = true;
        const report = await sandbox.destroy(reason);
        if (report.isConfirmed) {
          this.held.delete(id);
          this.#watch.say(() => `${id} is gone`);
        }
        return report;
      },
    };
  }
}

/** Without the code, which is below one MiB in a simulation. */
function sizeOf(limits: SandboxLimits): number {
  return Math.floor(limits.memoryBytes / MiB);
}
