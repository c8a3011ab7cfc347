import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EngineRuntime } from "../docker/flavour.ts";
import { findRuntime, flagsOf } from "./engine-runtime.ts";

const good = ["--network=none", "--host-uds=open", "--oci-seccomp", "--platform=systrap"];
const runc: EngineRuntime = { path: null, args: [], type: "" };

function runsc(args: string[], path = "/usr/bin/runsc"): EngineRuntime {
  return { path, args, type: "" };
}

function find(runtimes: Record<string, EngineRuntime>, wanted: string | null = null) {
  return findRuntime({ runtimes: new Map(Object.entries({ runc, ...runtimes })) }, wanted);
}

describe("the engine's runtime for gVisor", () => {
  test("is the one whose program or name is runsc and whose flags fit", () => {
    const expected = { path: "/usr/bin/runsc", platform: "systrap" };
    for (const name of ["runsc", "isola-runsc"])
      assert.deepEqual(find({ [name]: runsc(good) }).found, { name, ...expected });
    const both = find({ runsc: runsc([]), fitting: runsc(good) });
    assert.equal(both.found?.name, "fitting");
    assert.deepEqual(both.problems, []);
  });

  test("is the one that the operator names, and no other", () => {
    const runtimes = { runsc: runsc(good), mine: runsc(good, "/opt/gvisor") };
    assert.equal(find(runtimes, "mine").found?.path, "/opt/gvisor");
    const { found, problems } = find(runtimes, "theirs");
    assert.equal(found, null);
    assert.match(
      problems.join(),
      /no runtime theirs, which gvisorRuntime names; it has runc, runsc/,
    );
  });

  test("that is missing is told with what the engine has, and how to register it", () => {
    const { found, problems, fixes } = find({});
    assert.equal(found, null);
    assert.match(problems.join(), /no runtime gVisor's runsc; it has runc/);
    const register =
      /runsc install --runtime=runsc -- --network=none --host-uds=open --oci-seccomp=true/;
    assert.match(fixes.join(), register);
  });

  test("without a flag that is needed, or with one that takes protection away, is told as that", () => {
    for (const left of good.slice(0, 3)) {
      const name = left.split("=")[0] as string;
      const { found, problems, fixes } = find({
        runsc: runsc(good.filter((each) => each !== left)),
      });
      assert.equal(found, null, name);
      assert.match(problems.join(), new RegExp(`runsc is without ${name}=`));
      assert.equal(fixes.length > 0, true);
    }
    for (const bad of ["--debug", "-profile=true", "--ignore-cgroups", "--TESTONLY-unsafe-nonroot"])
      assert.match(find({ runsc: runsc([...good, bad]) }).problems.join(), /runsc has --/, bad);
    assert.match(
      find({ runsc: runsc([...good, "--network=host"]) }).problems.join(),
      /network=none/,
    );
    assert.notEqual(find({ runsc: runsc([...good, "--debug=false"]) }).found, null);
  });

  test("that is a shim does not show its flags, and is refused", () => {
    const shim = { path: null, args: [], type: "io.containerd.runsc.v1" };
    assert.match(find({ gvisor: shim }).problems.join(), /gvisor is a shim, whose flags/);
  });
});

test("flags are read as gVisor reads them", () => {
  const flags = flagsOf(["-a=1", "--b", "two", "--c", "-d", "--a=3", "--h=i=j", "--"]);
  const expected = { a: "3", b: "two", c: "true", d: "true", h: "i=j" };
  assert.deepEqual(Object.fromEntries(flags), expected);
});
