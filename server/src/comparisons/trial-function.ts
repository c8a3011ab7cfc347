import {
  type Artifact,
  type DeployedFunction,
  type DriverName,
  networkDrivers,
  reservedMiBOf,
} from "../domain/function.ts";
import { settingLimits } from "../domain/limits.ts";
import type { DriverProbe } from "../drivers/driver.ts";

/** Longer than any measurement between two calls. */
const KEPT_MS = 3_600_000;

/** The function as it is deployed, but on this driver, without its route, and with nothing kept ready. `id`: whose its sandboxes are. */
export function onDriver(fn: DeployedFunction, driver: DriverName, id: string): DeployedFunction {
  const settings = {
    ...fn.settings,
    ...{ driver, route: null, exposeErrors: true },
    ...{ minSandboxes: 0, concurrencyTarget: null, reservedConcurrency: null },
    idleTimeoutMs: KEPT_MS,
  };
  return { ...fn, functionId: id, settings };
}

/** The probe with the runtime of the function and the least of everything else. */
export function probeOf(
  fn: DeployedFunction,
  artifact: Artifact,
  handler: string,
): DeployedFunction {
  const { project, functionId, revision, settings } = fn;
  return {
    ...{ project, functionId, revision, artifact, name: "isola-probe" },
    settings: {
      ...settings,
      ...{ handler, env: {}, concurrency: 1, maxSandboxes: 1, network: "none" },
      ...{ afterResponse: "freeze", firstByteTimeoutMs: null },
      memoryMiB: settingLimits.memoryMiB.default,
      tmpMiB: settingLimits.tmpMiB.default,
      timeoutMs: settingLimits.timeoutMs.default,
      initTimeoutMs: Math.max(settings.initTimeoutMs, settingLimits.initTimeoutMs.default),
    },
  };
}

/** Why the function cannot run on a driver here; null: it can. */
export function whyNot(
  fn: DeployedFunction,
  driver: DriverName,
  machine: { drivers: readonly DriverProbe[]; memoryBudgetMiB: number },
): string | null {
  const probe = machine.drivers.find(({ name }) => name === driver);
  if (probe === undefined) return "this server does not have it";
  if (!probe.isAvailable) return probe.problems.join("; ") || "it is not available";
  const { network, memoryMiB } = fn.settings;
  if (network !== "none" && !networkDrivers.includes(driver))
    return `the function has network: ${network}, which it cannot give`;
  const reservedMiB = reservedMiBOf({ driver, memoryMiB });
  if (reservedMiB > machine.memoryBudgetMiB)
    return `a sandbox takes ${reservedMiB} MiB, and memoryBudgetMiB is ${machine.memoryBudgetMiB}`;
  return null;
}
