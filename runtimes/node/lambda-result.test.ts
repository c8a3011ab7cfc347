import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { httpAnswer } from "./lambda-result.mjs";

function answer(result: unknown) {
  const { head, body } = httpAnswer(result);
  return { head: head.split("\n"), body: Buffer.from(body).toString() };
}
const jsonHead = ["200", "content-type", "application/json"];

describe("the result of a Lambda handler", () => {
  test("without statusCode is JSON with status 200", () => {
    assert.deepEqual(answer({ a: 1 }), { head: jsonHead, body: '{"a":1}' });
    assert.deepEqual(answer([1]), { head: jsonHead, body: "[1]" });
    assert.deepEqual(answer(7), { head: jsonHead, body: "7" });
    assert.deepEqual(answer(undefined), { head: jsonHead, body: "null" });
    assert.deepEqual(answer(null), { head: jsonHead, body: "null" });
  });

  test("is sent as it is when it is text", () => {
    assert.deepEqual(answer("héllo"), { head: jsonHead, body: "héllo" });
  });

  test("may be bytes", () => {
    const head = ["200", "content-type", "application/octet-stream"];
    assert.deepEqual(answer(Buffer.from("raw")), { head, body: "raw" });
  });

  test("with statusCode says everything itself", () => {
    const result = {
      statusCode: 201,
      headers: { "Content-Type": "text/plain", "x-n": 1, "x-b": true, "x-none": undefined },
      cookies: ["a=1; Path=/", "b=2"],
      body: "made",
    };
    assert.deepEqual(answer(result), {
      head: ["201", "Content-Type", "text/plain", "x-n", "1", "x-b", "true"].concat([
        ...["set-cookie", "a=1; Path=/", "set-cookie", "b=2"],
      ]),
      body: "made",
    });
    assert.deepEqual(answer({ statusCode: 204 }), { head: ["204"], body: "" });
    assert.deepEqual(answer({ statusCode: "404", body: "no" }).head, ["404", ...jsonHead.slice(1)]);
    assert.deepEqual(answer({ statusCode: 200, headers: { v: ["1", "2"] } }).head, [
      ...["200", "v", "1", "v", "2"],
    ]);
  });

  test("may carry its body as base64 or as a Buffer", () => {
    assert.equal(answer({ statusCode: 200, body: "aGk=", isBase64Encoded: true }).body, "hi");
    assert.equal(answer({ statusCode: 200, body: Buffer.from("hi") }).body, "hi");
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const bad: [string, unknown, RegExp][] = [
    ["a cycle", cycle, /cannot be expressed as JSON: .*circular/],
    ["a BigInt", { n: 1n }, /cannot be expressed as JSON: .*BigInt/],
    ["a function", () => {}, /cannot be expressed as JSON/],
    ["status 99", { statusCode: 99 }, /status must be an integer from 200 to 599, not 99/],
    ["status 600", { statusCode: 600 }, /not 600/],
    ["status as words", { statusCode: "OK" }, /not "OK"/],
    ["null as status", { statusCode: null }, /not null/],
    ["a header name with a space", { statusCode: 200, headers: { "a b": "" } }, /"a b"/],
    ["an empty header name", { statusCode: 200, headers: { "": "" } }, /header name ""/],
    ["a line feed in a header", { statusCode: 200, headers: { "x-a": "1\n2" } }, /header x-a/],
    ["a NUL in a cookie", { statusCode: 200, cookies: ["a=\0"] }, /header set-cookie/],
    ["a header outside of Latin-1", { statusCode: 200, headers: { x: "\u20ac" } }, /header x/],
    ["an object as header", { statusCode: 200, headers: { x: {} } }, /header x must be text/],
    ["text as headers", { statusCode: 200, headers: "x" }, /headers must be an object/],
    ["one cookie as text", { statusCode: 200, cookies: "a=1" }, /cookies must be an array/],
    ["an object as body", { statusCode: 200, body: { a: 1 } }, /JSON.stringify it/],
    ["64 KiB of headers", { statusCode: 200, headers: { x: "a".repeat(70_000) } }, /exceed 65536/],
  ];
  for (const [what, result, message] of bad)
    test(`is refused with a reason when it holds ${what}`, () => {
      assert.throws(() => httpAnswer(result), { name: "BadResponse", message });
    });
});
