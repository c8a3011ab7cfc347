import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describe as describeFailure, failurePayload } from "./failure.mjs";

describe("the stack of a failure", () => {
  test("goes on with every cause, errors or not", () => {
    const root = new TypeError("no route", { cause: "unplugged" });
    const { stack, message } = describeFailure(new Error("cannot load", { cause: root }));
    assert.equal(message, "cannot load");
    assert.match(stack, /^Error: cannot load\n +at .*\n/);
    assert.match(stack, /\nCaused by: TypeError: no route\n +at /);
    assert.match(stack, /\nCaused by: unplugged$/);
  });

  test("ends where causes repeat, where they are many, and where one cannot be read", () => {
    const first = new Error("first");
    const second = new Error("second", { cause: first });
    first.cause = second;
    assert.match(describeFailure(first).stack, /Caused by: Error: second[^]*Caused by an error/);
    let deep = new Error("level 0");
    for (let level = 1; level <= 100; level += 1)
      deep = new Error(`level ${level}`, { cause: deep });
    const { stack } = describeFailure(deep);
    assert.match(stack, /Caused by: Error: level 92\n[^]*Caused by more errors$/);
    assert.doesNotMatch(stack, /level 91/);
    const wall = Object.defineProperty(new Error("wall"), "cause", {
      get() {
        throw new Error("no");
      },
    });
    assert.match(describeFailure(wall).stack, /^Error: wall\n/);
  });

  test("fits into the frame however long the causes are", () => {
    const cause = new Error("é".repeat(500_000));
    const payload = failurePayload("function_error", new Error("top", { cause }));
    const { stack } = JSON.parse(payload.toString("utf8")) as { stack: string };
    assert.ok(stack.length <= 32_000);
    assert.match(stack, /Caused by: Error: é/);
  });
});
