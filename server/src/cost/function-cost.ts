import type { DriverName } from "../domain/function.ts";
import { reservedMiBOf } from "../domain/function.ts";
import type { MachinePrice } from "./machine-price.ts";

/** What the calls of a function on one driver came to. */
export interface FunctionUse {
  driver: DriverName;
  memoryMiB: number;
  calls: number;
  /** A sandbox was theirs for so long. */
  busyMs: number;
  /** Of a comparison of the function; null: there is none. */
  cpuMicrosPerCall: number | null;
}

/** In the machine's currency. */
export interface FunctionCost {
  gbSeconds: number;
  memoryCost: number;
  /** null: the CPU of a call is not known. */
  cpuSeconds: number | null;
  cpuCost: number | null;
  /** The higher of the two: the part of the machine that the calls took. */
  cost: number;
}

const MIB_PER_GB = 1024;

/** Time in which sandboxes were idle belongs to no call and is in none of it. */
export function functionCost(use: FunctionUse, machine: MachinePrice): FunctionCost {
  const gbSeconds = (use.busyMs / 1000) * (reservedMiBOf(use) / MIB_PER_GB);
  const memoryCost = gbSeconds * machine.perGbSecond;
  if (use.cpuMicrosPerCall === null)
    return { gbSeconds, memoryCost, cpuSeconds: null, cpuCost: null, cost: memoryCost };
  const cpuSeconds = (use.calls * use.cpuMicrosPerCall) / 1e6;
  const cpuCost = cpuSeconds * machine.perCpuSecond;
  return { gbSeconds, memoryCost, cpuSeconds, cpuCost, cost: Math.max(memoryCost, cpuCost) };
}
