import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type LogLevel, levelOf, levelsFrom, logLevels, messageIn } from "./log-level.ts";

test("a line of JSON has the level that it names, as a word or as pino's number", () => {
  const cases: [string, LogLevel][] = [
    ['{"level":"error","msg":"x"}', "error"],
    ['{"level":"WARNING"}', "warn"],
    ['{"severity":"CRITICAL","message":"x"}', "fatal"],
    ['{"level":30}', "info"],
    ['{"level":50}', "error"],
    ['{"level":35}', "info"],
    ['{"level":60}', "fatal"],
  ];
  for (const [text, level] of cases)
    for (const given of ["none", "info", "debug"] as const)
      assert.equal(levelOf(given, text), level, `${given} ${text}`);
});

test("JSON that names no level leaves the line its own", () => {
  for (const text of [
    '{"level":"loud"}',
    '{"level":5}',
    '{"level":1e300}',
    '{"level":{"error":1}}',
    '{"data":{"level":"error"}}',
    '{"level":"error"',
    `{"level":"error","pad":"${"x".repeat(70_000)}"}`,
  ])
    assert.equal(levelOf("debug", text), "debug", text.slice(0, 60));
});

test("a word at the start gives a level to a line without one, or with that of console.log", () => {
  const cases: [string, LogLevel][] = [
    ["ERROR: it broke", "error"],
    ["error: it broke", "error"],
    ["[warn] slow", "warn"],
    ["  [DEBUG] x", "debug"],
    ["WARNING something", "warn"],
    ["CRITICAL:root:x", "fatal"],
    ["Error: it broke", "error"],
  ];
  for (const [text, level] of cases) {
    assert.equal(levelOf("none", text), level, text);
    assert.equal(levelOf("info", text), level, text);
    assert.equal(levelOf("warn", text), "warn", "what was said more clearly holds");
  }
});

test("a word that is only part of a sentence gives none", () => {
  for (const text of ["errors: 0", "Error rates fell", "the ERROR: x", "ERRORS 3", "info", "", ":"])
    assert.equal(levelOf("none", text), "none", text);
});

test("any text has a level and never throws", () => {
  fc.assert(
    fc.property(fc.constantFrom(...logLevels), fc.string({ unit: "binary" }), (given, text) => {
      assert.ok(logLevels.includes(levelOf(given, `{${text}`)));
      assert.ok(logLevels.includes(levelOf(given, text)));
    }),
  );
});

test("the message of a line of JSON is what it says in msg or message", () => {
  assert.equal(messageIn('{"msg":"a","message":"b"}'), "a");
  assert.equal(messageIn('{"message":"b"}'), "b");
  assert.equal(messageIn('{"msg":7}'), null);
  assert.equal(messageIn("plain"), null);
  assert.equal(messageIn("{not json}"), null);
});

test("levels from one up are those that are as bad", () => {
  assert.deepEqual(levelsFrom("warn"), ["warn", "error", "fatal"]);
  assert.equal(levelsFrom("none").length, 7);
});
