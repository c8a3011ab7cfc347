import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GvisorSettings } from "../gvisor/gvisor-driver.ts";
import { settingSpecs } from "../../settings/schema.ts";

export interface DockerSettings {
  dockerHost: string;
  dockerBases: Record<"nodejs" | "python", string | null>;
  gvisor: GvisorSettings;
  microvm: {
    keptDir: string;
    kernel: null;
    vmm: "qemu";
    firecracker: null;
    accelerator: "emulation";
    kernelSource: string | null;
    snapshotsMiBMax: number;
  };
  egressAllowed: string[];
  egressResolvers: string[];
}

/** What tests of sandboxes need not care about: the engine of the environment, bases as the machine has them, and nothing private to reach. */
export const dockerSettings: DockerSettings = {
  dockerHost: process.env.DOCKER_HOST || settingSpecs.dockerHost.default,
  dockerBases: { nodejs: null, python: null },
  gvisor: {
    ...{ mode: "engine", runtime: null, runsc: null, platform: "auto" },
    keptDir: join(tmpdir(), "isola-no-images"),
    snapshotsMiBMax: 1024,
  },
  microvm: {
    keptDir: process.env.VM_GUEST_FOLDER || join(tmpdir(), "isola-no-guests"),
    kernel: null,
    vmm: "qemu",
    firecracker: null,
    accelerator: "emulation",
    kernelSource: null,
    snapshotsMiBMax: 4096,
  },
  egressAllowed: [],
  egressResolvers: [],
};
