import { MiB } from "../../domain/limits.ts";
import type { ExpositionText } from "./exposition-text.ts";
import type { SampledGauges } from "./gauges-of-sample.ts";
import type { DriverTotals } from "./gateway-sums.ts";
import type { RunningTotals } from "./running-totals.ts";

export interface KnownDrivers {
  /** Told with 0 where nothing was counted. */
  names: readonly string[];
  /** That a sandbox can be in. */
  states: readonly string[];
}

const noTotals: DriverTotals = { starts: 0, startFailures: 0, ends: new Map() };

/** What was counted on drivers, and what there is at the moment; `gauges` null: that is not known. */
export function tellDrivers(
  text: ExpositionText,
  { sums }: RunningTotals,
  { names, states }: KnownDrivers,
  gauges: SampledGauges | null,
): void {
  for (const driver of new Set([...names, ...sums.byDriver.keys()])) {
    const { starts, startFailures, ends } = sums.byDriver.get(driver) ?? noTotals;
    text.add("isola_sandbox_starts_total", { driver }, starts);
    text.add("isola_sandbox_start_failures_total", { driver }, startFailures);
    for (const [reason, count] of ends)
      text.add("isola_sandbox_ends_total", { driver, reason }, count);
    if (gauges === null) continue;
    const now = gauges.drivers.get(driver);
    for (const state of states)
      text.add("isola_sandboxes", { driver, state }, now?.sandboxes.get(state) ?? 0);
    const reserved = (now?.memoryReservedMiB ?? 0) * MiB;
    const used = (now?.memoryUsedMiB ?? 0) * MiB;
    text.add("isola_sandbox_memory_reserved_bytes", { driver }, reserved);
    text.add("isola_sandbox_memory_used_bytes", { driver }, Math.round(used));
  }
}
