import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Type } from "../../protocol/src/frames.mjs";
import { TestHost } from "./test-host.ts";

function handler(body: string, init: Record<string, unknown> = {}, before = ""): Promise<TestHost> {
  const code = `${before}\nexport const handler = async (event, context) => { ${body} };`;
  return TestHost.ready({ "index.mjs": code }, init);
}

describe("an error that nothing handles", () => {
  const places: [string, string, RegExp][] = [
    [
      "a rejection",
      "Promise.reject(new RangeError('lost'))",
      /unhandled rejection: RangeError: lost/,
    ],
    [
      "an exception in a timer",
      "setTimeout(() => { throw new RangeError('lost') })",
      /uncaught exception: RangeError: lost/,
    ],
    [
      "an exception in an emitter",
      "import('node:events').then(({ EventEmitter }) => setImmediate(() => new EventEmitter().emit('error', new RangeError('lost'))))",
      /uncaught exception: RangeError: lost/,
    ],
  ];
  for (const [what, code, log] of places) {
    test(`answers the invocation it belongs to when it is ${what}, then ends the process with 71`, async () => {
      await using host = await handler(
        `console.log(event); if (event === "lose") { ${code}; } await new Promise((r) => setTimeout(r, 1e6).unref());`,
        { concurrency: 2 },
      );
      const other = host.open({ event: "wait" });
      await host.until(() => host.logs.length === 1);
      const stream = host.open({ event: "lose" });
      const { error } = await host.answer(stream);
      assert.deepEqual(
        [error?.code, error?.type, error?.message],
        ["function_error", "RangeError", "lost"],
      );
      assert.match(error?.stack ?? "", /index\.mjs/);
      assert.equal(await host.exited, 71);
      const line = host.logs.find(({ level }) => level === "error");
      assert.match(line?.text ?? "", log);
      assert.equal(line?.stream, stream);
      assert.equal(host.isDone(other), false);
    });
  }

  test("is logged with the number of its invocation when that has been answered", async () => {
    await using host = await handler(
      "setTimeout(() => { throw new Error('late') }, 10); return 1;",
    );
    assert.equal((await host.invoke({ event: 1 })).body.toString(), "1");
    assert.equal(await host.exited, 71);
    assert.match(host.logs[0]?.text ?? "", /^uncaught exception: Error: late/);
    assert.deepEqual([host.logs[0]?.stream, host.logs[0]?.level], [1, "error"]);
  });

  test("during the import is a failed init", async () => {
    await using host = new TestHost();
    await host.load({
      "index.mjs":
        "Promise.reject(new Error('early')); await new Promise((r) => setTimeout(r, 1e6).unref());",
    });
    const { payload } = await host.first((frame) => frame.type === Type.ERROR);
    const error = JSON.parse(payload.toString());
    assert.deepEqual([error.code, error.message], ["init_failed", "unhandled rejection: early"]);
    assert.equal(await host.exited, 71);
  });

  test("leaves the process alone when the code listens itself", async () => {
    const listener =
      "process.on('unhandledRejection', (error) => console.log('mine', error.message));";
    await using host = await handler("Promise.reject(new Error('known')); return 1;", {}, listener);
    await host.invoke({ event: 1 });
    await host.until(() => host.logs.length === 1);
    assert.equal(host.logs[0]?.text, "mine known");
    assert.equal((await host.invoke({ event: 1 })).body.toString(), "1");
  });
});

describe("process.exit by the code", () => {
  test("sends what was logged before the process ends with the code given", async () => {
    await using host = await handler(
      "for (let at = 0; at < event; at++) console.log(at); process.stdout.write('no line feed'); process.exit(3);",
    );
    host.open({ event: 1000 });
    assert.equal(await host.exited, 3);
    const expected = [...Array.from({ length: 1000 }, (_, at) => String(at)), "no line feed"];
    assert.deepEqual(
      host.logs.map(({ text }) => text),
      expected,
    );
    assert.equal(host.isDone(1), false);
  });

  test("sends also more than the kernel holds", async () => {
    await using host = await handler(
      "for (let at = 0; at < 50; at++) console.log(String(at).padEnd(60000)); process.exit(0);",
    );
    host.open({ event: 1 });
    assert.equal(await host.exited, 0);
    assert.deepEqual(
      host.logs.map(({ text }) => Number(text)),
      Array.from({ length: 50 }, (_, at) => at),
    );
  });
});

describe("errors of any shape", () => {
  const thrown: [string, string, string, string][] = [
    ["null", "null", "object", "null"],
    ["undefined", "undefined", "undefined", "undefined"],
    ["an object", "{ reason: 1 }", "Object", '{"reason":1}'],
    [
      "an error of an own class",
      "new (class Mine extends Error { name = 'Mine' })('own')",
      "Mine",
      "own",
    ],
    [
      "an error whose message throws",
      "Object.defineProperty(new Error(), 'message', { get() { throw 1 } })",
      "object",
      "a value that cannot be shown was thrown",
    ],
    ["a symbol", "Symbol('s')", "symbol", "Symbol(s)"],
  ];
  for (const [what, code, type, message] of thrown)
    test(`${what} is told`, async () => {
      await using host = await handler(`throw ${code};`);
      const { error } = await host.invoke({ event: 1 });
      assert.deepEqual(
        [error?.code, error?.type, error?.message],
        ["function_error", type, message],
      );
    });

  test("a giant error is cut to fit into a frame", async () => {
    await using host = await handler("throw new Error('\\u0000'.repeat(1e6));");
    const { error } = await host.invoke({ event: 1 });
    assert.ok((error?.message.length ?? 0) > 1000);
  });
});
