import assert from "node:assert/strict";
import { test } from "node:test";
import { readFlags } from "./sources.ts";

test("a misspelt flag is one problem, its value none, and what follows is read", () => {
  const { given, problems } = readFlags(
    ["--gatway-port", "1", "--control-prot=2", "--accept-no-isolaton", "--data", "d"],
    "/",
  );
  assert.deepEqual(
    problems.map(({ path, expected }) => [path, /perhaps (\S+)$/.exec(expected)?.[1]]),
    [
      ["--gatway-port", "--gateway-port"],
      ["--control-prot=2", "--control-port"],
      ["--accept-no-isolaton", "--accept-no-isolation"],
    ],
  );
  assert.deepEqual(
    given.map(({ name, value }) => [name, value]),
    [["data", "d"]],
  );
});
