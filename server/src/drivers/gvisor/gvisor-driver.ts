import { type ContainerDriverOptions, ContainerDriver } from "../docker/container-driver.ts";
import type { DriverCore } from "../driver.ts";
import { gvisorFlavour } from "./gvisor-flavour.ts";

export interface GvisorDriverOptions extends ContainerDriverOptions {
  /** The engine's runtime to use, by its name there; null: the one that is found. */
  runtime: string | null;
}

/** Functions in the containers of the docker driver, each with a kernel of its own: gVisor. */
export function createGvisorDriver({ runtime, ...options }: GvisorDriverOptions): DriverCore {
  return new ContainerDriver(gvisorFlavour(runtime), options);
}
