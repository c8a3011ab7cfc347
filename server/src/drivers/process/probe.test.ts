import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProcessMachine } from "./machine.ts";
import { examine } from "./machine.ts";
import { probeOf } from "./probe.ts";

const found = await examine();
const bwrap = { path: "/usr/bin/bwrap", version: "0.8.0", canDisableUserNamespaces: true };
const bare: ProcessMachine = {
  ...found,
  bwrap: null,
  bwrapProblem: "left out",
  cgroups: { tree: null, problem: "left out" },
  tier: "none",
};
const wrapped: ProcessMachine = { ...bare, bwrap, bwrapProblem: null, tier: "namespaces" };

function protection(machine: ProcessMachine, name: string) {
  const { protections } = probeOf(machine, null, true);
  return protections.find((each) => each.name === name) ?? assert.fail(`no ${name}`);
}

test("a filter of system calls that cannot be made is told as missing, with the reason", () => {
  const filter = { program: null, problem: "the kernel has no seccomp filters" };
  assert.deepEqual(protection({ ...wrapped, filter }, "syscalls"), {
    name: "syscalls",
    isEnforced: false,
    how: "no: the kernel has no seccomp filters",
  });
  assert.equal(
    protection({ ...wrapped, filter: { program: Buffer.alloc(8) } }, "syscalls").isEnforced,
    true,
  );
});

test("without bubblewrap nothing of the view and no filter is claimed", () => {
  const claimed = probeOf(bare, null, true).protections.filter((each) => each.isEnforced);
  assert.deepEqual(
    claimed.map((each) => each.name),
    ["memory", "processes", "open-files"],
  );
});

test("without cgroups it is said what the sample does not see", () => {
  assert.match(protection(wrapped, "memory").how, /of processes only/);
  assert.match(protection(wrapped, "tmp").how, /number of files is not limited/);
  assert.match(protection({ ...bare, isRoot: false }, "processes").how, /without threads/);
  assert.equal(protection(wrapped, "cpu").isEnforced, false);
});
