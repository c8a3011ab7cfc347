import assert from "node:assert/strict";
import type Dockerode from "dockerode";
import { test } from "node:test";
import type { RuntimeSpec } from "../driver.ts";
import { containerOptions } from "./container-options.ts";
import { deviations } from "./hardening.ts";

const runtime = { name: "nodejs26", family: "nodejs", args: ["{runtime}/main.mjs"] } as RuntimeSpec;
const asked = containerOptions(
  { id: "sb-1", runtime, limits: { memoryBytes: 2 ** 27, pidsMax: 64 }, tmpBytes: 2 ** 26 },
  {
    ...{ image: "sha256:1", nodeId: "n", bootId: "b", controlPath: "/run/in-1" },
    ...{ cgroupParent: null, network: null },
  },
);

/** As an engine shows it. */
function made(changes: object = {}): Dockerode.ContainerInspectInfo {
  const host = { ...asked.HostConfig, ...changes };
  return { HostConfig: host, Config: { User: asked.User } } as Dockerode.ContainerInspectInfo;
}

test("a container as it was asked for deviates in nothing, whatever the order of what it shows", () => {
  assert.deepEqual(deviations(asked, made()), []);
  const turned = asked.HostConfig?.Ulimits?.map(({ Name, Soft, Hard }) => ({ Hard, Name, Soft }));
  assert.deepEqual(deviations(asked, made({ Ulimits: turned?.toReversed() })), []);
});

test("every protection that an engine leaves out or changes is named", () => {
  const weaker: Record<string, unknown> = {
    ...{ Privileged: true, CapDrop: [], SecurityOpt: ["no-new-privileges"], ReadonlyRootfs: false },
    ...{ NetworkMode: "default", IpcMode: "host", CgroupnsMode: "host", Memory: 0, MemorySwap: -1 },
    ...{ PidsLimit: undefined, ShmSize: 67_108_864, Tmpfs: {}, Init: false, Ulimits: null },
    ...{ MaskedPaths: [], ReadonlyPaths: ["/proc/sys"] },
  };
  for (const [name, value] of Object.entries(weaker)) {
    const found = deviations(asked, made({ [name]: value }));
    assert.equal(found.length, 1, name);
    assert.match(found[0] as string, new RegExp(`^${name} is `));
  }
  const asRoot = { ...made(), Config: { User: "" } } as Dockerode.ContainerInspectInfo;
  assert.match(deviations(asked, asRoot)[0] as string, /^User is/);
});
