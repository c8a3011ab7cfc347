import type { GatewaySample } from "../../domain/gateway-sample.ts";
import type { FunctionTotals } from "./function-totals.ts";
import type { RunningTotals } from "./running-totals.ts";

/** What there was when the gateway looked last. What it did not find is not in here. */
export interface SampledGauges {
  functions: Map<FunctionTotals, { running: number; queued: number }>;
  drivers: Map<string, DriverGauges>;
  memoryBudgetMiB: number | null;
  gatewayMemoryMiB: number | null;
}

export interface DriverGauges {
  /** By state. */
  sandboxes: Map<string, number>;
  memoryReservedMiB: number;
  memoryUsedMiB: number;
}

/** What has the same labels is added up. */
export function gaugesOfSample({ parts }: GatewaySample, totals: RunningTotals): SampledGauges {
  const gauges: SampledGauges = {
    ...{ functions: new Map(), drivers: new Map() },
    ...{ memoryBudgetMiB: null, gatewayMemoryMiB: null },
  };
  for (const part of parts) {
    const { driver, values } = part;
    gauges.memoryBudgetMiB = values.memoryBudget ?? gauges.memoryBudgetMiB;
    gauges.gatewayMemoryMiB = values.gatewayMemory ?? gauges.gatewayMemoryMiB;
    if (driver === "") continue;
    if (part.functionName !== "") {
      const own = functionGauges(gauges, totals.totalsOf(part));
      own.running += values.running ?? 0;
      own.queued += values.queued ?? 0;
    }
    addToDriver(driverGauges(gauges, driver), values);
  }
  return gauges;
}

function addToDriver(own: DriverGauges, values: Record<string, number>): void {
  own.memoryReservedMiB += values.memoryReserved ?? 0;
  own.memoryUsedMiB += values.memoryUsed ?? 0;
  for (const [measure, value] of Object.entries(values)) {
    const [name, state = ""] = measure.split(":");
    if (name === "sandboxes") own.sandboxes.set(state, (own.sandboxes.get(state) ?? 0) + value);
  }
}

function functionGauges({ functions }: SampledGauges, totals: FunctionTotals) {
  const own = functions.get(totals) ?? { running: 0, queued: 0 };
  functions.set(totals, own);
  return own;
}

function driverGauges(gauges: SampledGauges, driver: string): DriverGauges {
  const none = { sandboxes: new Map(), memoryReservedMiB: 0, memoryUsedMiB: 0 };
  const own = gauges.drivers.get(driver) ?? none;
  gauges.drivers.set(driver, own);
  return own;
}
