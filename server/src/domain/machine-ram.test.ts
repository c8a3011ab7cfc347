import assert from "node:assert/strict";
import { test } from "node:test";
import { canGrow, machineRam } from "./function.ts";

test("a machine has room for the function, its code and a kernel, in few sizes", () => {
  const sizes = [128, 188, 189, 444, 445, 10_240].map((limit) => machineRam.mibFor(limit));
  assert.deepEqual(sizes, [512, 512, 768, 768, 1024, 10_752]);
});

test("a machine takes functions up to its own size later, others have no size", () => {
  assert.equal(canGrow("microvm", 128, 448), true);
  assert.equal(canGrow("microvm", 128, 449), false);
  assert.equal(canGrow("docker", 128, 10_240), true);
});
