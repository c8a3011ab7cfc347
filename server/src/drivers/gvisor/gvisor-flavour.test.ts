import assert from "node:assert/strict";
import { test } from "node:test";
import { MiB, fixedLimits } from "../../domain/limits.ts";
import { containerOptions } from "../docker/container-options.ts";
import { deviations } from "../docker/hardening.ts";
import type { RuntimeSpec } from "../driver.ts";
import { gvisorFlavour } from "./gvisor-flavour.ts";

const flavour = gvisorFlavour(null);
const limits = { memoryBytes: 128 * MiB, pidsMax: fixedLimits.processesMax };
const runtime = { name: "nodejs26", family: "nodejs", args: ["{runtime}/main.mjs"] } as RuntimeSpec;
const asked = containerOptions(
  { id: "sb-1", runtime, limits, tmpBytes: 64 * MiB },
  {
    ...{ image: "sha256:1", nodeId: "n", bootId: "b", controlPath: "/run/in-1" },
    ...{ cgroupParent: null, network: null, flavour, runtime: "runsc" },
  },
);

test("a container has room for gVisor's kernel beside what the function may take", () => {
  const whole = flavour.containerLimits(limits, limits);
  assert.equal(whole.memoryBytes, limits.memoryBytes + 64 * MiB);
  assert(whole.pidsMax >= 256 + limits.pidsMax);
});

test("the number of processes is set at the start, and another one is refused later", () => {
  assert.deepEqual(asked.HostConfig?.Ulimits?.at(-1), { Name: "nproc", Soft: 65, Hard: 65 });
  for (const pidsMax of [32, 128])
    assert.throws(() => flavour.containerLimits({ ...limits, pidsMax }, limits), /started for 64/);
});

test("a container of another runtime than was asked for is refused", () => {
  const made = { HostConfig: asked.HostConfig, Config: { User: asked.User } };
  assert.deepEqual(deviations(asked, made as never), []);
  const plain = { ...made, HostConfig: { ...asked.HostConfig, Runtime: "runc" } };
  assert.deepEqual(deviations(asked, plain as never), ['Runtime is "runc", not "runsc"']);
});

test("a program that does not run is told as the reason", async () => {
  const args = ["--network=none", "--host-uds=open", "--oci-seccomp"];
  const runtimes = new Map([["runsc", { path: "/nonexistent/runsc", args, type: "" }]]);
  const { problems } = await flavour.examine({ runtimes } as never);
  assert.match(problems.join(), /\/nonexistent\/runsc does not run: .*ENOENT/);
});
