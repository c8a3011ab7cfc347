import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { never, openTrial, unavailable } from "../testing/firecracker-trial.ts";
import { FirecrackerVmm, type FirecrackerOptions } from "./firecracker-vmm.ts";

const base: FirecrackerOptions = {
  ...{
    firecracker: null,
    jailer: null,
    stateDir: "/nonexistent",
    kvm: null,
    isRoot: false,
    trialMark: "isola.t.t.trial",
  },
};

async function problemOf(options: Partial<FirecrackerOptions>): Promise<string> {
  const { problem, fix } = unavailable(
    await new FirecrackerVmm({ ...base, ...options }).probe(null, never),
  );
  assert.match(fix, /\S+ \S+/);
  return problem;
}

describe("the probe of Firecracker", () => {
  test("says that the program does not run", async () => {
    const problem = await problemOf({ firecracker: "/nonexistent/firecracker" });
    assert.match(problem, /^\/nonexistent\/firecracker does not run: .*ENOENT/);
  });

  test("says that a program is another one", async () => {
    const problem = await problemOf({ firecracker: "/bin/true" });
    assert.match(problem, /^\/bin\/true --version says no version/);
  });

  test("refuses a version that is too old", async (t) => {
    const { programs } = await openTrial(t, { version: "1.15.0" });
    const problem = await problemOf({ firecracker: programs.firecracker });
    assert.match(problem, /is Firecracker 1\.15\.0, and Isola needs at least 1\.16\.1$/);
  });

  test("wants a jailer for root, of the same version", async (t) => {
    const { programs } = await openTrial(t, { version: "1.17.0" });
    const other = await openTrial(t, { version: "1.16.1" });
    const options = { firecracker: programs.firecracker, isRoot: true };
    const problem = await problemOf({ ...options, jailer: other.programs.jailer });
    assert.match(problem, /is of version 1\.16\.1, and Firecracker of 1\.17\.0$/);
    const probe = await new FirecrackerVmm({ ...base, ...options }).probe(null, never);
    assert.deepEqual(probe.versions, { firecracker: "1.17.0", jailer: "1.17.0" });
    rmSync(programs.jailer as string);
    assert.match(await problemOf(options), /^jailer is not installed|jailer is of version/);
  });

  test("wants the device of the processor's virtualisation", async (t) => {
    const { programs, folder } = await openTrial(t);
    const options = { firecracker: programs.firecracker };
    const gone = await problemOf({ ...options, kvm: join(folder, "kvm") });
    assert.match(gone, /kvm cannot be used, and Firecracker has no other way: ENOENT/);
    writeFileSync(join(folder, "kvm"), "");
    const file = await problemOf({ ...options, kvm: join(folder, "kvm") });
    assert.match(file, /kvm is not a device$/);
  });

  test("says of what was not tried that it was not", async (t) => {
    const { vmm } = await openTrial(t);
    const probe = await vmm.probe(null, never);
    assert.equal(probe.isAvailable, true);
    assert.match(probe.problems.join(), /no guest was tried with it yet/);
    assert.equal(probe.protections["vmm-view"]?.isEnforced, false);
    assert.match(probe.fixes.join(), /as root/);
  });

  test("says why no guest boots, and tries each but once", async (t) => {
    const trouble = { at: "PUT /actions", does: "die" } as const;
    const { vmm, guest } = await openTrial(t, { trouble });
    const { problem } = unavailable(await vmm.probe(guest, never));
    assert.match(problem, /^no guest boots under Firecracker here: the machine of trial did not/);
    rmSync(guest.kernel);
    assert.equal(unavailable(await vmm.probe(guest, never)).problem, problem);
    await assert.rejects(vmm.boot((await openTrial(t)).spec(), never), {
      code: "driver_unavailable",
    });
  });

  test("gives a snapshot to nothing but the version that it is of", async (t) => {
    const of = async (version: string) =>
      (await (await openTrial(t, { version })).vmm.probe(null, never)).identity;
    assert.equal(await of("1.17.0"), await of("1.17.0"));
    assert.notEqual(await of("1.17.0"), await of("1.16.1"));
  });
});
