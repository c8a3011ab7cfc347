import { settingSpecs } from "../../settings/schema.ts";

/** What tests of sandboxes need not care about: the engine of the environment, bases as the machine has them, and nothing private to reach. */
export const dockerSettings = {
  dockerHost: process.env.DOCKER_HOST || settingSpecs.dockerHost.default,
  dockerBases: { nodejs: null, python: null } as Record<"nodejs" | "python", string | null>,
  egressAllowed: [] as string[],
  egressResolvers: [] as string[],
};
