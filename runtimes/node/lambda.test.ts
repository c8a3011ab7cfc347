import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Flag, Type, WINDOW_BYTES } from "../../protocol/src/frames.mjs";
import { TestHost } from "./test-host.ts";

/** A runtime with one `index.mjs` whose handler is this expression. */
function handler(expression: string, init: Record<string, unknown> = {}): Promise<TestHost> {
  return TestHost.ready({ "index.mjs": `export const handler = ${expression};` }, init);
}

describe("a Lambda handler", () => {
  const styles = {
    "async function": "async (event) => ({ statusCode: 200, body: event.rawPath })",
    "function that returns at once": "(event) => ({ statusCode: 200, body: event.rawPath })",
    "function with a callback":
      "(event, context, callback) => setImmediate(callback, null, { statusCode: 200, body: event.rawPath })",
    "callback called at once":
      "function (event, context, callback) { callback(null, { statusCode: 200, body: event.rawPath }); }",
    "three parameters and a promise":
      "async (event, context, callback) => ({ statusCode: 200, body: event.rawPath })",
  };
  for (const [style, expression] of Object.entries(styles))
    test(`may be written as ${style}`, async () => {
      await using host = await handler(expression);
      const answer = await host.invoke({ target: "/a%20b?c" });
      assert.equal(answer.error, null);
      assert.deepEqual([answer.status, answer.body.toString()], [200, "/a%20b"]);
      const ready = await host.first((frame) => frame.type === Type.READY);
      assert.deepEqual(JSON.parse(ready.payload.toString()), { kind: "lambda", buffered: true });
    });

  test("fails with what it throws, rejects with, or gives to its callback", async () => {
    await using host = await handler(`(event, context, callback) => {
      if (event === "throw") throw new TypeError("thrown");
      if (event === "reject") return Promise.reject(new RangeError("rejected"));
      if (event === "text") throw "text";
      callback(new SyntaxError("called back"));
    }`);
    const failures = [];
    for (const event of ["throw", "reject", "text", "callback"]) {
      const { error, status } = await host.invoke({ event });
      failures.push([error?.code, error?.type, error?.message, status]);
      if (event !== "text") assert.match(error?.stack ?? "", /index\.mjs:\d+/);
    }
    assert.deepEqual(failures, [
      ["function_error", "TypeError", "thrown", 0],
      ["function_error", "RangeError", "rejected", 0],
      ["function_error", "string", "text", 0],
      ["function_error", "SyntaxError", "called back", 0],
    ]);
  });

  test("gets an event as it was sent, and its result goes back as JSON", async () => {
    await using host = await handler("async (event) => event");
    for (const event of [{ a: [1, "ü"] }, "text", 0, null, { statusCode: 404, body: "kept" }]) {
      const answer = await host.invoke({ event });
      assert.deepEqual([answer.status, JSON.parse(answer.body.toString())], [200, event]);
    }
  });

  test("gets the context of Lambda, and a signal", async () => {
    await using host = await handler(
      `async (event, context) => ({ ...context, remaining: { ...context }.getRemainingTimeInMillis(), isAborted: context.signal.aborted })`,
    );
    const { body } = await host.invoke({ event: 1, id: "id-x", timeoutMs: 5000 });
    const { remaining, ...context } = JSON.parse(body.toString());
    assert.ok(Number.isInteger(remaining) && remaining > 0 && remaining <= 5000, remaining);
    assert.deepEqual(context, {
      callbackWaitsForEmptyEventLoop: true,
      functionName: "hello",
      functionVersion: "3",
      invokedFunctionArn: "arn:isola:lambda:local:default:function:hello",
      memoryLimitInMB: "128",
      awsRequestId: "id-x",
      logGroupName: "/isola/hello",
      logStreamName: "sb-7",
      isAborted: false,
    });
  });

  test("sees its signal abort at the deadline", async () => {
    await using host = await handler(`(event, context) => new Promise((resolve) => {
      context.signal.addEventListener("abort", () => resolve(context.signal.reason.name));
    })`);
    const { body } = await host.invoke({ event: 1, timeoutMs: 30 });
    assert.equal(body.toString(), '"TimeoutError"');
  });

  test("is answered with `cancelled` once it has settled after CANCEL", async () => {
    await using host = await handler(`(event, context) => new Promise((resolve) => {
      console.log("started");
      context.signal.addEventListener("abort", () => { console.log("aborted"); resolve(1); });
    })`);
    const stream = host.open({ event: 1 });
    await host.until(() => host.logs.length === 1);
    host.writer.frame(Type.CANCEL, 0, stream, Buffer.from("gone"));
    const { error } = await host.answer(stream);
    assert.deepEqual([error?.code, host.logs[1]?.text], ["cancelled", "aborted"]);
    assert.match(error?.message ?? "", /gone/);
  });

  test("is not started when CANCEL comes before the end of the body", async () => {
    await using host = await handler(`() => { console.log("ran"); }`);
    host.writer.invoke(0, 1, 1000, 0, ["id", "POST", "/", "", "", "", "http", "", ""].join("\n"));
    host.writer.frame(Type.BODY, 0, 1, Buffer.from("half"));
    host.writer.frame(Type.CANCEL, 0, 1);
    assert.equal((await host.answer(1)).error?.code, "cancelled");
    host.writer.frame(Type.BODY, Flag.END, 1);
    await host.ping();
    assert.deepEqual(host.logs, []);
  });
});

describe("limits of a Lambda handler", () => {
  test("a request body above the limit is refused before the handler runs", async () => {
    await using host = await handler("async (event) => event.body.length", {
      requestBodyBytesMax: 10,
    });
    const headers: [string, string][] = [["content-type", "text/plain"]];
    const fits = await host.invoke({ method: "POST", body: "x".repeat(10), headers });
    assert.equal(fits.body.toString(), "10");
    const { error } = await host.invoke({ method: "POST", body: "x".repeat(11), headers });
    assert.deepEqual(
      [error?.code, error?.message],
      ["request_too_large", "request body exceeds 10 bytes"],
    );
  });

  test("a response body above the limit is a bad response", async () => {
    await using host = await handler("async (length) => 'x'.repeat(length)", {
      responseBodyBytesMax: 12,
    });
    assert.equal((await host.invoke({ event: 10 })).body.length, 12);
    const { error } = await host.invoke({ event: 11 });
    assert.equal(error?.code, "bad_response");
    assert.match(error?.message ?? "", /13 bytes exceeds 12/);
  });

  test("bodies of several windows pass both ways when credit is returned", async () => {
    await using host = await handler("async (event) => event.body");
    const text = "0123456789abcdef".repeat(100_000);
    const lines = ["id", "POST", "/", "", "", "", "http", "", "", "content-type", "text/plain"];
    host.writer.invoke(0, 1, 30_000, 0, lines.join("\n"));
    let sent = 0;
    const bytes = Buffer.from(text);
    await host.until(() => {
      const credit = host.frames
        .filter((frame) => frame.type === Type.CREDIT)
        .reduce((sum, frame) => sum + frame.payload.readUInt32LE(), WINDOW_BYTES);
      const end = Math.min(bytes.length, credit);
      if (end > sent)
        host.writer.body(end === bytes.length ? Flag.END : 0, 1, bytes.subarray(sent, end));
      sent = end;
      return sent === bytes.length;
    });
    const answer = await host.answer(1);
    assert.ok(answer.body.equals(bytes));
  });

  test("a response waits for credit at the end of the window", async () => {
    await using host = await handler("async (length) => 'x'.repeat(length)");
    const stream = host.open({ event: 2 * WINDOW_BYTES });
    await host.until(() => host.bodyOf(stream).length === WINDOW_BYTES);
    assert.equal((await host.ping()).inProgress, 1);
    assert.equal(host.bodyOf(stream).length, WINDOW_BYTES);
    host.writer.credit(stream, 7);
    await host.until(() => host.bodyOf(stream).length > WINDOW_BYTES);
    assert.equal(host.bodyOf(stream).length, WINDOW_BYTES + 7);
    host.writer.credit(stream, WINDOW_BYTES);
    assert.equal((await host.answer(stream)).body.length, 2 * WINDOW_BYTES + 2);
    assert.equal((await host.ping()).inProgress, 0);
  });
});
