import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { judgedCalls, refusedCalls } from "../syscalls.ts";
import { plainCalls } from "./known-calls.ts";
import { blocksWithout, seccompProfile } from "./seccomp-profile.ts";

test("no call is both allowed and refused, or allowed twice", () => {
  const special = [...Object.keys(refusedCalls), ...Object.keys(judgedCalls)];
  const all = [...plainCalls, ...special];
  assert.equal(new Set(all).size, all.length);
  assert(plainCalls.length > 250);
});

test("blocks hold every value once but the excluded ones", () => {
  const value = fc.integer({ min: 0, max: 0xffffffff });
  const property = fc.property(fc.array(value, { maxLength: 5 }), value, (excluded, probe) => {
    const blocks = blocksWithout(excluded);
    const holding = (each: number) =>
      blocks.filter((block) => (each & block.mask) >>> 0 === block.value).length;
    assert.equal(holding(probe), excluded.includes(probe) ? 0 : 1);
    for (const each of excluded) {
      assert.equal(holding(each), 0);
      for (const next of [each - 1, each + 1])
        if (next >= 0 && next <= 0xffffffff && !excluded.includes(next))
          assert.equal(holding(next), 1);
    }
  });
  fc.assert(property, { numRuns: 200, seed: 1 });
});

test("there is a profile for the machines that are known, and for no other", () => {
  for (const arch of ["x64", "arm64"] as const)
    assert.equal(seccompProfile(arch)?.architectures.length, 1);
  assert.equal(seccompProfile("riscv64"), null);
});
