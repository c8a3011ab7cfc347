import { tmpdir } from "node:os";
import { join } from "node:path";
import { settingSpecs } from "../../settings/schema.ts";

export interface DockerSettings {
  dockerHost: string;
  dockerBases: Record<"nodejs" | "python", string | null>;
  gvisorRuntime: string | null;
  microvm: { keptDir: string; accelerator: "emulation"; snapshotsMiBMax: number };
  egressAllowed: string[];
  egressResolvers: string[];
}

/** What tests of sandboxes need not care about: the engine of the environment, bases as the machine has them, and nothing private to reach. */
export const dockerSettings: DockerSettings = {
  dockerHost: process.env.DOCKER_HOST || settingSpecs.dockerHost.default,
  dockerBases: { nodejs: null, python: null },
  gvisorRuntime: null,
  microvm: {
    keptDir: join(tmpdir(), "isola-microvm-unused"),
    accelerator: "emulation",
    snapshotsMiBMax: 0,
  },
  egressAllowed: [],
  egressResolvers: [],
};
