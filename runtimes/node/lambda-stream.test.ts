import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Type, WINDOW_BYTES } from "../../protocol/src/frames.mjs";
import { TestHost } from "./test-host.ts";

function streaming(body: string, init: Record<string, unknown> = {}): Promise<TestHost> {
  const code = `export const handler = awslambda.streamifyResponse(async (event, stream, context) => { ${body} });`;
  return TestHost.ready({ "index.mjs": code }, init);
}

describe("a streaming Lambda handler", () => {
  test("writes its response as it goes", async () => {
    await using host = await streaming(`
      stream.setContentType("text/plain");
      stream.write(event.rawPath);
      await new Promise((resolve) => setTimeout(resolve, 20));
      stream.write("|" + context.functionName);
      stream.end("|end");`);
    const ready = await host.first((frame) => frame.type === Type.READY);
    assert.deepEqual(JSON.parse(ready.payload.toString()), {
      kind: "lambda-stream",
      buffered: false,
    });
    const stream = host.open({ target: "/a" });
    await host.until(() => host.bodyOf(stream).toString() === "/a");
    const answer = await host.answer(stream);
    assert.deepEqual(answer.headers, [["content-type", "text/plain"]]);
    assert.deepEqual([answer.status, answer.body.toString()], [200, "/a|hello|end"]);
  });

  test("sets status, headers and cookies with HttpResponseStream.from", async () => {
    await using host = await streaming(`
      stream = awslambda.HttpResponseStream.from(stream, { statusCode: 418, headers: { "x-a": "1" }, cookies: ["c=1"] });
      stream.end();`);
    const answer = await host.invoke();
    assert.deepEqual([answer.status, answer.body.length], [418, 0]);
    assert.deepEqual(answer.headers, [
      ["x-a", "1"],
      ["set-cookie", "c=1"],
      ["content-type", "application/octet-stream"],
    ]);
  });

  test("takes events as well, and may be the end of a pipeline", async () => {
    await using host = await streaming(`
      const { pipeline } = await import("node:stream/promises");
      await pipeline([JSON.stringify(event)], stream);`);
    assert.equal((await host.invoke({ event: { a: 1 } })).body.toString(), '{"a":1}');
  });

  test("is held back by a host that does not read", async () => {
    await using host = await streaming(`
      const { once } = await import("node:events");
      const chunk = Buffer.alloc(65536);
      for (let made = 1; made <= 64; made++) {
        console.log(made);
        if (!stream.write(chunk)) await once(stream, "drain");
      }
      stream.end();`);
    const stream = host.open({ event: 1 });
    await host.until(() => host.bodyOf(stream).length === WINDOW_BYTES);
    await host.ping();
    assert.ok(host.logs.length <= 6, `${host.logs.length}`);
    assert.equal((await host.answer(stream)).body.length, 64 * 65_536);
  });

  test("that throws after its head has its response cut", async () => {
    await using host = await streaming("stream.write('part'); throw new RangeError('cut');");
    const answer = await host.invoke();
    assert.deepEqual([answer.status, answer.error?.type], [200, "RangeError"]);
  });

  test("that sets a bad header is a bad response", async () => {
    await using host = await streaming(`
      awslambda.HttpResponseStream.from(stream, { headers: { "x-a": "1\\n" } }).end("x");`);
    const { error, status } = await host.invoke();
    assert.deepEqual([status, error?.code], [0, "bad_response"]);
    assert.match(error?.message ?? "", /header x-a/);
  });

  for (const [when, body] of [
    [
      "runs",
      "console.log('on'); stream.write('a'); await new Promise((r) => context.signal.addEventListener('abort', r));",
    ],
    ["has returned", "console.log('on'); stream.write('a');"],
  ] as const)
    test(`is cancelled while it ${when}`, async () => {
      await using host = await streaming(body);
      const stream = host.open();
      await host.until(() => host.bodyOf(stream).length === 1);
      host.writer.frame(Type.CANCEL, 0, stream);
      assert.equal((await host.answer(stream)).error?.code, "cancelled");
    });

  test("gets no request above the limit", async () => {
    await using host = await streaming("stream.end();", { requestBodyBytesMax: 3 });
    const { error } = await host.invoke({ method: "POST", body: "four" });
    assert.equal(error?.code, "request_too_large");
  });
});
