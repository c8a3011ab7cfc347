import assert from "node:assert/strict";
import { test } from "node:test";
import { curlLine } from "./curl-line.ts";

test("a call is a line that a shell takes as one command", () => {
  const url = "http://127.0.0.1:8080/hello";
  assert.equal(curlLine(url, undefined), `curl '${url}'`);
  assert.equal(curlLine(url, { path: "/?name=Ada" }), `curl '${url}?name=Ada'`);
  assert.equal(
    curlLine(url, { method: "POST", path: "/sum", body: `{"it's": 1}` }),
    `curl -H 'content-type: application/json' -d '{"it'\\''s": 1}' '${url}/sum'`,
  );
  const headers: [string, string][] = [
    ["content-type", "text/plain"],
    ["x-signature", "sha256=00"],
  ];
  assert.equal(
    curlLine(url, { method: "POST", headers, body: "a" }),
    `curl -H 'content-type: text/plain' -H 'x-signature: sha256=00' -d 'a' '${url}'`,
  );
  assert.equal(curlLine(url, { method: "DELETE", path: "/a" }), `curl -X DELETE '${url}/a'`);
});
