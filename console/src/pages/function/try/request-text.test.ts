import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyRequest, invokeOf } from "./request-text.ts";

test("what is filled in becomes a request or an event", () => {
  const text = {
    ...emptyRequest,
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
  assert.deepEqual(invokeOf({ ...emptyRequest, kind: "event", event: "[1]" }), { event: [1] });
});

test("what cannot be sent is told", () => {
  for (const wrong of [
    { kind: "event" as const, event: "{" },
    { path: "a" },
    { path: "/a b" },
    { headers: "no colon" },
  ])
    assert.ok("problem" in invokeOf({ ...emptyRequest, ...wrong }), JSON.stringify(wrong));
});
