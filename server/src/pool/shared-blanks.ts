import type { EventLoop } from "../domain/clock.ts";
import {
  type DeployedFunction,
  canGrow,
  reservedMiBOf,
  takesBlanks,
  unpackedBytesOf,
} from "../domain/function.ts";
import { MiB } from "../domain/limits.ts";
import type { Driver, RuntimeSpec } from "../drivers/driver.ts";
import { BLANK_MEMORY_MIB, BlankPool } from "./blank-pool.ts";
import type { Starter } from "./starter.ts";

/** Blank sandboxes of one runtime at most, beyond what the settings keep, and what all of them may take of the memory. */
const BLANKS_MAX = 16;
const BLANK_SHARE = 0.25;

export interface SharedBlanksOptions {
  drivers: ReadonlyMap<string, Driver>;
  runtimes: ReadonlyMap<string, RuntimeSpec>;
  /** Kept by family, before demand says otherwise. */
  blanks: Readonly<Record<RuntimeSpec["family"], number>>;
  blankQuietMs: number;
  defaultDriver: string;
  memoryBudgetMiB: number;
  clock: EventLoop;
  starter: Starter;
  tryReserve(mib: number): boolean;
  onReady(): void;
  onProblem(problem: string): void;
}

/** The blank sandboxes that all functions share, by driver and runtime. Those that functions get which name no driver are kept from the start; others from their first need on. */
export class SharedBlanks {
  readonly #options: SharedBlanksOptions;
  readonly #byKey = new Map<string, BlankPool>();

  constructor(options: SharedBlanksOptions) {
    this.#options = options;
    for (const runtime of options.runtimes.keys()) this.#pool(options.defaultDriver, runtime);
  }

  all(): Iterable<BlankPool> {
    return this.#byKey.values();
  }

  /** null: its sandboxes cannot have been blank ones. */
  poolFor(fn: DeployedFunction): BlankPool | null {
    const { settings } = fn;
    const limitMiB = settings.memoryMiB + Math.ceil(unpackedBytesOf(fn) / MiB);
    const { driver, runtime } = settings;
    const mayTake = takesBlanks(settings) && canGrow(driver, BLANK_MEMORY_MIB, limitMiB);
    return mayTake ? this.#pool(driver, runtime) : null;
  }

  /** null: this machine has one of the two not. */
  #pool(driverName: string, runtimeName: string): BlankPool | null {
    const key = `${driverName}/${runtimeName}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const { drivers, runtimes, blanks, memoryBudgetMiB, defaultDriver } = this.#options;
    const { clock, starter, blankQuietMs: quietMs } = this.#options;
    const { tryReserve, onReady, onProblem } = this.#options;
    const driver = drivers.get(driverName);
    const runtime = runtimes.get(runtimeName);
    if (driver === undefined || runtime === undefined) return null;
    const blankMiB = reservedMiBOf({ driver: driver.name, memoryMiB: BLANK_MEMORY_MIB });
    const mostByMemory = Math.floor((memoryBudgetMiB * BLANK_SHARE) / blankMiB);
    const pool = new BlankPool({
      ...{ driver, runtime, clock, starter, quietMs, tryReserve, onReady, onProblem },
      isExpected: driverName === defaultDriver,
      base: blanks[runtime.family],
      most: Math.min(BLANKS_MAX, mostByMemory),
    });
    this.#byKey.set(key, pool);
    return pool;
  }
}
