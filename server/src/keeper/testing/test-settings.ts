import type { KeeperSettings } from "../messages.ts";
import { settingSpecs } from "../../settings/schema.ts";

/** What tests of sandboxes need not care about: the engine of the environment, and bases as the machine has them. */
export const dockerSettings: Pick<KeeperSettings, "dockerHost" | "dockerBases"> = {
  dockerHost: process.env.DOCKER_HOST || settingSpecs.dockerHost.default,
  dockerBases: { nodejs: null, python: null },
};
