import type { DriverName } from "../domain/function.ts";
import type { DriverCore } from "../drivers/driver.ts";
import { createDockerDriver } from "../drivers/docker/docker-driver.ts";
import { createGvisorDriver } from "../drivers/gvisor/gvisor-driver.ts";
import { createMicrovmDriver } from "../drivers/microvm/create-microvm-driver.ts";
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
  const { nodeId, bootId, dockerHost, dockerBases, egressAllowed, egressResolvers } = settings;
  const engine = {
    ...{ nodeId, bootId, host: dockerHost, bases: dockerBases, egressAllowed, egressResolvers },
  };
  const cores: DriverCore[] = [
    createProcessDriver({ ...settings, log: log("process") }),
    createDockerDriver({ ...engine, log: log("docker") }),
    createGvisorDriver({ ...settings, ...engine, log: log("gvisor") }),
  ];
  const microvm = { ...settings, log: log("microvm") };
  cores.push(createMicrovmDriver(microvm));
  return new Map(cores.map((core) => [core.name, core]));
}
