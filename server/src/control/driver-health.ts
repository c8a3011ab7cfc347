import type { PlatformEvent } from "../domain/events.ts";
import type { DriverProbe } from "../drivers/driver.ts";

/** Whether each driver can run: as the gateway found when it was asked, and as it has told since. */
export class DriverHealth {
  readonly #byName = new Map<string, { tier: string; isAvailable: boolean }>();

  /** All of them, as a gateway says. */
  found(probes: readonly DriverProbe[]): void {
    this.#byName.clear();
    for (const { name, tier, isAvailable } of probes) this.#byName.set(name, { tier, isAvailable });
  }

  told({ kind, fields }: PlatformEvent): void {
    if (kind !== "driver_available" && kind !== "driver_unavailable") return;
    const known = this.#byName.get(String(fields.driver));
    if (known === undefined) return; // it is found with the others
    known.isAvailable = kind === "driver_available";
    if (known.isAvailable) known.tier = String(fields.tier);
  }

  all(): { driver: string; tier: string; isAvailable: boolean }[] {
    return [...this.#byName].map(([driver, health]) => ({ driver, ...health }));
  }
}
