import { ChannelClosed } from "@isola/protocol/channel-types";
import type { EventLoop } from "../domain/clock.ts";
import { reservedMiBOf } from "../domain/function.ts";
import { MiB, fixedLimits } from "../domain/limits.ts";
import type { Driver, RuntimeSpec, Equipment } from "../drivers/driver.ts";
import { IsolaError, messageOf } from "../errors.ts";
import type { MemoryBudget, MemoryHolder } from "./memory-budget.ts";
import type { SandboxCensus } from "./sandbox-census.ts";
import { PooledSandbox, type SandboxEvents, type SandboxWatch } from "./pooled-sandbox.ts";

export interface StartRequest {
  driver: Driver;
  runtime: RuntimeSpec;
  memoryMiB: number;
  tmpMiB: number;
  /** For whom it was reserved; null: for nobody yet, it is blank. */
  holder: MemoryHolder | null;
  /** As `SandboxSpec` has it. */
  egressOf?: string;
  equipment?: Equipment;
  /** As soon as there is one, long before its runtime has booted: whoever waits for the end of a start sees what it may leave behind. */
  onSandbox?(sandbox: PooledSandbox): void;
}

export interface StarterOptions {
  bootId: string;
  clock: EventLoop;
  budget: MemoryBudget;
  census: SandboxCensus;
  events: Omit<SandboxEvents, "onGone" | "onDead">;
  watch: SandboxWatch;
}

/** Makes blank sandboxes: started by a driver, runtime booted, no code yet. */
export class Starter {
  readonly #options: StarterOptions;
  readonly #events: SandboxEvents;
  #count = 0;

  constructor(options: StarterOptions) {
    this.#options = options;
    this.#events = {
      ...options.events,
      onDead: (sandbox, reason) => options.census.died(sandbox, reason),
      onGone: (sandbox) => {
        options.census.gone(sandbox);
        options.budget.release(sandbox.reservedMiB, sandbox.holder);
      },
    };
  }

  /**
   * The caller has reserved `reservedMiBOf` in the budget; from here on it is released when the sandbox is gone, or when the start has failed.
   * Rejects with `sandbox_start_failed`; an abort of `signal` is such a failure. What was started is then being destroyed.
   */
  async start(request: StartRequest, signal: AbortSignal): Promise<PooledSandbox> {
    const { clock, budget, bootId, census } = this.#options;
    const { memoryMiB } = request;
    const reservedMiB = reservedMiBOf({ driver: request.driver.name, memoryMiB });
    const startedAt = clock.now();
    this.#count += 1;
    let pooled: PooledSandbox;
    try {
      const sandbox = await request.driver.start(
        {
          id: `sb-${bootId}-${this.#count}`,
          runtime: request.runtime,
          limits: sandboxLimits(memoryMiB, 0),
          tmpBytes: request.tmpMiB * MiB,
          ...(request.egressOf !== undefined && { egressOf: request.egressOf }),
          ...(request.equipment && { equipment: request.equipment }),
          ...(request.holder === null && { isAhead: true as const }),
        },
        signal,
      );
      pooled = new PooledSandbox(
        sandbox,
        {
          driver: request.driver.name,
          runtime: request.runtime,
          tmpMiB: request.tmpMiB,
          reservedMiB,
          holder: request.holder,
          watch: this.#options.watch,
          loop: clock,
        },
        this.#events,
      );
    } catch (error) {
      census.startFailed(request.driver.name);
      budget.release(reservedMiB, request.holder);
      throw startFailure(error);
    }
    request.onSandbox?.(pooled);
    census.born(pooled);
    await this.#hello(pooled, signal);
    pooled.startMs = clock.now() - startedAt;
    pooled.booted();
    return pooled;
  }

  async #hello(pooled: PooledSandbox, signal: AbortSignal): Promise<void> {
    const onAbort = () => void pooled.destroy("start_failed", "the start was given up");
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    try {
      await pooled.channel.hello;
      const { ended } = pooled.channel;
      if (ended !== null) throw new ChannelClosed(ended); // in the same breath
    } catch (error) {
      void pooled.destroy("start_failed", messageOf(error));
      throw startFailure(error);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}

/** Limits of a sandbox for a function with this memory; its code lies in memory too and is not charged to it. */
export function sandboxLimits(memoryMiB: number, codeBytes: number) {
  return { memoryBytes: memoryMiB * MiB + codeBytes, pidsMax: fixedLimits.processesMax };
}

function startFailure(error: unknown): IsolaError {
  if (error instanceof IsolaError) return error;
  return new IsolaError("sandbox_start_failed", `the sandbox did not start: ${messageOf(error)}`, {
    cause: error,
  });
}
