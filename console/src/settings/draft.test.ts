import assert from "node:assert/strict";
import { test } from "node:test";
import { changesOf, envOf, envText, eventOf, eventText } from "./draft.ts";

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

test("the event of a schedule is written and read as JSON, and nothing is the default one", () => {
  for (const event of [{ a: [1, "x"] }, null, "", 0, false])
    assert.deepEqual(eventOf(eventText(event)), { event });
  assert.equal(eventText(undefined), "");
  assert.deepEqual(eventOf(" \n"), {});
  assert.ok("problem" in eventOf("{a: 1}"));
});
