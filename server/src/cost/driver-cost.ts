import type { ComparisonSubject, DriverResult, FigureName } from "../domain/comparison.ts";
import { reservedMiBOf } from "../domain/function.ts";
import { type ListPrice, billedMsOf, listPrice } from "./list-price.ts";
import type { MachinePrice } from "./machine-price.ts";
import type { PriceList } from "./price-list.ts";

/** What a function costs on one driver, from what a comparison measured. Prices are in the machine's currency. */
export interface DriverCost {
  driver: string;
  /** CPU of sandbox and gateway together. null, as what follows from it: not measured. */
  cpuMicrosPerCall: number | null;
  /** At most, by CPU and by memory; the lower one bounds. */
  callsPerSecondByCpu: number | null;
  callsPerSecondByMemory: number | null;
  bound: "cpu" | "memory" | null;
  perMillionCalls: number | null;
  /** Sandboxes that the machine holds: as the memory budget counts them, and by what one was measured to take under load. */
  sandboxesReserved: number;
  sandboxesMeasured: number | null;
  /** For 1024 MiB of the function's own memory setting, held for a second. null also where the machine holds no sandbox. */
  perGbSecondReserved: number | null;
  perGbSecondMeasured: number | null;
}

const MIB_PER_GB = 1024;

export function driverCost(
  { driver, figures }: Pick<DriverResult, "driver" | "figures">,
  subject: ComparisonSubject,
  machine: MachinePrice,
): DriverCost {
  const median = (name: FigureName) =>
    figures.find((one) => one.workload === "function" && one.name === name)?.median ?? null;
  const { memoryMiB, concurrency } = subject;
  const holds = (eachMiB: number) => Math.floor(machine.usableMemoryMiB / eachMiB);
  const sandboxesReserved = holds(reservedMiBOf({ driver, memoryMiB }));
  const busyMiB = median("busyMemory");
  const sandboxesMeasured = busyMiB === null ? null : holds(busyMiB);
  const perGb = (sandboxes: number | null) =>
    sandboxes ? machine.perSecond / (sandboxes * (memoryMiB / MIB_PER_GB)) : null;
  const cpuMicrosPerCall = sum(median("cpuPerCall"), median("gatewayCpuPerCall"));
  const byCpu = cpuMicrosPerCall === null ? null : (machine.usableCores * 1e6) / cpuMicrosPerCall;
  const warmMs = median("warmP50");
  const byMemory = warmMs === null ? null : (sandboxesReserved * concurrency) / (warmMs / 1000);
  const most = byCpu === null || byMemory === null ? null : Math.min(byCpu, byMemory);
  return {
    ...{ driver, cpuMicrosPerCall, sandboxesReserved, sandboxesMeasured },
    callsPerSecondByCpu: byCpu,
    callsPerSecondByMemory: byMemory,
    bound: most === null ? null : most === byCpu ? "cpu" : "memory",
    perMillionCalls: most ? (machine.perSecond / most) * 1e6 : null,
    perGbSecondReserved: perGb(sandboxesReserved),
    perGbSecondMeasured: perGb(sandboxesMeasured),
  };
}

/** A million warm calls of the same length at the provider. null: the length was not measured. */
export function listPricePerMillion(
  { figures }: Pick<DriverResult, "figures">,
  { memoryMiB, tmpMiB }: ComparisonSubject,
  list: PriceList,
): Record<"x86_64" | "arm64", ListPrice> | null {
  const warmMs = figures.find((one) => one.workload === "function" && one.name === "warmP50");
  if (!warmMs || warmMs.median === null) return null;
  const calls = 1e6;
  const billed = [{ calls, billedMs: calls * billedMsOf(warmMs.median, list), memoryMiB, tmpMiB }];
  return { x86_64: listPrice(billed, list, "x86_64"), arm64: listPrice(billed, list, "arm64") };
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
