import type { DeployedFunction } from "../domain/function.ts";
import type { DestroyReason } from "../drivers/driver.ts";
import type { IsolaError } from "../errors.ts";

/** Hears how the pools of functions grow and shrink. `sandboxes`: those of the revision that take calls, afterwards. */
export interface PoolNews {
  onStarted(fn: DeployedFunction, sandboxes: number): void;
  onEnded(fn: DeployedFunction, reason: DestroyReason, sandboxes: number): void;
  onStartFailed(fn: DeployedFunction, error: IsolaError): void;
}
