import type { DriverCore, SandboxLimits } from "../driver.ts";
import { type ContainerDriverOptions, ContainerDriver } from "./container-driver.ts";
import type { ContainerFlavour } from "./flavour.ts";

/** Processes of a container that are not the function's: the first one, which reaps. */
const PIDS_OVERHEAD = 1;

/** Functions in hardened containers, as the engine runs all others. */
export const dockerFlavour: ContainerFlavour = {
  name: "docker",
  tier: "container",
  hasEgress: true,
  absent: "errno",
  canUpdate: true,
  examine: async () => ({ runtime: null, versions: {}, problems: [], fixes: [] }),
  containerLimits: (limits: SandboxLimits) => ({
    ...limits,
    pidsMax: limits.pidsMax + PIDS_OVERHEAD,
  }),
  covered: {},
  hostConfig: () => ({}),
  protections: () => ({}),
};

export function createDockerDriver(options: ContainerDriverOptions): DriverCore {
  return new ContainerDriver(dockerFlavour, options);
}
