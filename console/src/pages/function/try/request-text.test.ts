import assert from "node:assert/strict";
import { test } from "node:test";
import { invokeOf, textOf } from "./request-text.ts";

test("what is filled in becomes a request or an event", () => {
  const text = {
    ...textOf(undefined),
    method: "POST",
    path: "/a?b=%20",
    headers: "x-a: b: c\n\ny:",
    body: "{}",
  };
  assert.deepEqual(invokeOf(text), {
    request: {
      ...{ method: "POST", path: "/a?b=%20", body: "{}" },
      headers: [
        ["x-a", "b: c"],
        ["y", ""],
      ],
    },
  });
  assert.deepEqual(invokeOf({ ...text, method: "GET" }), {
    request: {
      method: "GET",
      path: "/a?b=%20",
      headers: [
        ["x-a", "b: c"],
        ["y", ""],
      ],
    },
  });
  assert.deepEqual(invokeOf({ ...textOf(undefined), kind: "event", event: "[1]" }), { event: [1] });
});

test("what cannot be sent is told", () => {
  for (const wrong of [
    { kind: "event" as const, event: "{" },
    { path: "a" },
    { path: "/a b" },
    { headers: "no colon" },
  ])
    assert.ok("problem" in invokeOf({ ...textOf(undefined), ...wrong }), JSON.stringify(wrong));
});

test("a call that is filled in is the same call when it is sent", () => {
  const headers: [string, string][] = [["x-a", "b: c"]];
  const request = { method: "POST" as const, path: "/a?b=1", headers, body: "{}" };
  assert.deepEqual(invokeOf(textOf({ request })), { request });
  for (const event of [{ time: "2026-01-31T04:00:00Z" }, [1], null])
    assert.deepEqual(invokeOf(textOf({ event })), { event });
});
