import type { DriverName } from "../domain/function.ts";
import type { DriverCore } from "../drivers/driver.ts";
import { createProcessDriver } from "../drivers/process/process-driver.ts";
import type { KeeperSettings } from "./messages.ts";

/** Every driver there is. */
export function driverCores(
  settings: KeeperSettings,
  onProblem: (driver: DriverName, problem: string) => void,
): ReadonlyMap<DriverName, DriverCore> {
  const log = (driver: DriverName) => ({
    warn: (_fields: object, text: string) => onProblem(driver, text),
  });
  const cores: DriverCore[] = [createProcessDriver({ ...settings, log: log("process") })];
  return new Map(cores.map((core) => [core.name, core]));
}
