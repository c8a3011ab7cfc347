import assert from "node:assert/strict";
import { test } from "node:test";
import { changesOf, envOf, envText } from "./draft.ts";

test("only what differs is sent", () => {
  const held = { memoryMiB: 128, route: { methods: [], path: "/a" }, env: { A: "1" } };
  assert.deepEqual(changesOf(held, { memoryMiB: 128, route: { methods: [], path: "/a" } }), {});
  assert.deepEqual(changesOf(held, { memoryMiB: 256, route: null, env: { A: "1" } }), {
    memoryMiB: 256,
    route: null,
  });
});

test("env is written and read as lines", () => {
  const env = { A: "1", B: "x = y", C: "" };
  assert.equal(envText(env), "A=1\nB=x = y\nC=");
  assert.deepEqual(envOf(`# note\n\n${envText(env)}`), { env });
  assert.ok("problem" in envOf("no sign"));
  assert.ok("problem" in envOf("1A=x"));
});
