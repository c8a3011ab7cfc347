import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Flag, Type, WINDOW_BYTES } from "../../protocol/src/frames.mjs";
import { TestHost } from "./test-host.ts";

/** A runtime whose `index.mjs` has this body of `fetch(request, context)`. */
function fetchFunction(body: string, init: Record<string, unknown> = {}): Promise<TestHost> {
  const code = `export default { async fetch(request, context) { ${body} } };`;
  return TestHost.ready({ "index.mjs": code }, init);
}

const post = ["id", "POST", "/", "", "", "HTTP/1.1", "http", "$default", ""].join("\n");

describe("a fetch function", () => {
  test("gets a Request and the context, and answers with a Response", async () => {
    await using host = await fetchFunction(`
      const body = await request.text();
      const headers = [...request.headers];
      return Response.json(
        { isRequest: request instanceof Request, url: request.url, method: request.method, headers, body, id: context.awsRequestId },
        { status: 201, headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-a", "caf\\u00e9"]] },
      );`);
    const ready = await host.first((frame) => frame.type === Type.READY);
    assert.deepEqual(JSON.parse(ready.payload.toString()), { kind: "fetch", buffered: false });
    const answer = await host.invoke({
      ...{ id: "id-9", method: "PUT", target: "/caf%C3%A9?q=%20", scheme: "https", body: "föö" },
      headers: [
        ["host", "api.test:8443"],
        ["x-l", "caf\u00e9"],
        ["content-type", "text/plain"],
      ],
    });
    assert.equal(answer.error, null);
    assert.equal(answer.status, 201);
    assert.deepEqual(answer.headers, [
      ["content-type", "application/json"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["x-a", "caf\u00e9"],
    ]);
    assert.deepEqual(JSON.parse(answer.body.toString()), {
      ...{ isRequest: true, url: "https://api.test:8443/caf%C3%A9?q=%20", method: "PUT" },
      headers: [
        ["content-type", "text/plain"],
        ["host", "api.test:8443"],
        ["x-l", "caf\u00e9"],
      ],
      ...{ body: "föö", id: "id-9" },
    });
  });

  test("gets every header, whatever its name and however often it comes", async () => {
    await using host = await fetchFunction(`
      return Response.json([request.url, ...request.headers]);`);
    const headers: [string, string][] = [
      ["host", ""],
      ["7", "number"],
      ["__proto__", "p"],
      ["constructor", "c"],
      ["cookie", "a=1"],
    ];
    const names = (more: [string, string][]) =>
      [...headers.filter(([name]) => name !== "cookie"), ...more].toSorted();
    const once = await host.invoke({ method: "GET", headers });
    const first = ["http://localhost/", ...names([["cookie", "a=1"]])];
    assert.deepEqual(JSON.parse(once.body.toString()), first);
    const more: [string, string][] = [...headers, ["host", "b.test"], ["cookie", "b=2"]];
    const twice = await host.invoke({
      method: "GET",
      headers: [...more, ["x-a", "1"], ["x-a", "2"]],
    });
    const [url, ...seen] = JSON.parse(twice.body.toString());
    assert.equal(url, "http://b.test/");
    const joined: [string, string][] = [
      ["cookie", "a=1; b=2"],
      ["host", ", b.test"],
      ["x-a", "1, 2"],
    ];
    assert.deepEqual(seen, [
      ...names(joined).filter(([name, value]) => name !== "host" || value !== ""),
    ]);
  });

  test("may answer without a body", async () => {
    await using host = await fetchFunction("return new Response(null, { status: 204 });");
    const { status, body, headers } = await host.invoke({ method: "GET", body: "ignored" });
    assert.deepEqual([status, body.length, headers], [204, 0, []]);
  });

  test("keeps `this`", async () => {
    const code =
      "class App { word = 'mine'; fetch() { return new Response(this.word); } }\nexport default new App();";
    await using host = await TestHost.ready({ "index.mjs": code });
    assert.equal((await host.invoke()).body.toString(), "mine");
  });

  test("streams its response while it is being made", async () => {
    await using host = await fetchFunction(`
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter();
      writer.write(new TextEncoder().encode("first"));
      request.text().then(async (text) => { await writer.write(new TextEncoder().encode(text)); await writer.close(); });
      return new Response(readable);`);
    host.writer.invoke(0, 1, 1000, 0, post);
    await host.until(() => host.bodyOf(1).toString() === "first");
    host.writer.frame(Type.BODY, Flag.END, 1, Buffer.from("|second"));
    assert.equal((await host.answer(1)).body.toString(), "first|second");
  });

  test("gets the request as a stream, and returns credit only for what it has read", async () => {
    await using host = await fetchFunction(
      `
      if (request.method === "GET") { globalThis.readOn(); return new Response("told"); }
      const gate = new Promise((resolve) => { globalThis.readOn = resolve; });
      const reader = request.body.getReader();
      let bytes = (await reader.read()).value.length;
      console.log("read one");
      await gate;
      for (;;) { const { done, value } = await reader.read(); if (done) break; bytes += value.length; }
      return new Response(String(bytes));`,
      { concurrency: 2 },
    );
    host.writer.invoke(0, 1, 30_000, 0, post);
    host.writer.body(0, 1, Buffer.alloc(WINDOW_BYTES));
    const credits = () =>
      host.frames
        .filter((frame) => frame.type === Type.CREDIT)
        .reduce((sum, frame) => sum + frame.payload.readUInt32LE(), 0);
    await host.until(() => host.logs.some(({ text }) => text === "read one"));
    assert.ok(credits() <= 65_536, `${credits()}`);
    const lines = ["id", "GET", "/", "", "", "HTTP/1.1", "http", "$default", ""].join("\n");
    host.writer.invoke(Flag.END, 2, 30_000, 0, lines);
    await host.until(() => credits() === WINDOW_BYTES);
    host.writer.body(Flag.END, 1, Buffer.alloc(WINDOW_BYTES));
    assert.equal((await host.answer(1)).body.toString(), String(2 * WINDOW_BYTES));
  });

  test("makes an endless response no faster than the host reads it", async () => {
    await using host = await fetchFunction(`
      let made = 0;
      const body = new ReadableStream({
        pull(controller) { made += 65536; console.log(made); controller.enqueue(new Uint8Array(65536)); },
        cancel(reason) { console.log("cancelled"); },
      });
      return new Response(body);`);
    const stream = host.open();
    await host.until(() => host.bodyOf(stream).length === WINDOW_BYTES);
    const before = await host.ping();
    const made = () => Number(host.logs.findLast(({ text }) => /^\d+$/.test(text))?.text);
    assert.ok(made() <= WINDOW_BYTES + 3 * 65_536, `${made()}`);
    for (let round = 0; round < 100; round++) {
      const received = host.bodyOf(stream).length;
      host.writer.credit(stream, 65_536);
      await host.until(() => host.bodyOf(stream).length === received + 65_536);
    }
    const after = await host.ping();
    assert.ok(made() <= WINDOW_BYTES + 103 * 65_536, `${made()}`);
    assert.ok(after.residentBytes - before.residentBytes < 64 * 1_048_576);
    host.writer.frame(Type.CANCEL, 0, stream, Buffer.from("enough"));
    assert.equal((await host.answer(stream)).error?.code, "cancelled");
    await host.until(() => host.logs.some(({ text }) => text === "cancelled"));
  });

  test("sees its signal abort on CANCEL, and its request body fail", async () => {
    await using host = await fetchFunction(`
      console.log("started");
      await request.text().catch((error) => console.log(error.name));
      console.log(request.signal.aborted, context.signal.aborted, request.signal.reason.name);
      return new Response("late");`);
    host.writer.invoke(0, 1, 30_000, 0, post);
    await host.until(() => host.logs.length === 1);
    host.writer.frame(Type.CANCEL, 0, 1);
    assert.equal((await host.answer(1)).error?.code, "cancelled");
    const texts = host.logs.map(({ text }) => text);
    assert.deepEqual(texts, ["started", "AbortError", "true true AbortError"]);
  });

  test("may clone its request: body and signal are there twice", async () => {
    await using host = await fetchFunction(`
      const copy = request.clone();
      const texts = [await request.text(), await copy.text()];
      await new Promise((resolve) => copy.signal.addEventListener("abort", resolve));
      return Response.json([...texts, request.signal.aborted, copy instanceof Request]);`);
    const { body } = await host.invoke({ method: "POST", body: "twice", timeoutMs: 50 });
    assert.deepEqual(JSON.parse(body.toString()), ["twice", "twice", true, true]);
  });

  test("sees its signal abort at the deadline", async () => {
    await using host = await fetchFunction(`
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      return new Response(request.signal.reason.name);`);
    const slow = host.open({ timeoutMs: 40 });
    assert.equal((await host.answer(slow)).body.toString(), "TimeoutError");
  });

  test("may leave the request unread", async () => {
    await using host = await fetchFunction("return new Response('done');");
    host.writer.invoke(0, 1, 30_000, 0, post);
    assert.equal((await host.answer(1)).body.toString(), "done");
    host.writer.body(Flag.END, 1, Buffer.alloc(1000));
    host.writer.credit(1, 10);
    assert.equal((await host.ping()).inProgress, 0);
  });

  test("takes no events", async () => {
    await using host = await fetchFunction("return new Response('no');");
    const { error } = await host.invoke({ event: {} });
    assert.equal(error?.code, "not_an_event_function");
  });

  const bad: [string, string, string, RegExp][] = [
    ["throws", "throw new TypeError('mine')", "function_error", /^mine$/],
    ["returns text", "return 'text'", "bad_response", /must return a Response, not "text"/],
    ["returns nothing", "", "bad_response", /must return a Response, not undefined/],
    ["returns a network error", "return Response.error()", "bad_response", /status .* not 0/],
    [
      "returns a used body",
      "const used = new Response('x'); await used.text(); return used",
      "bad_response",
      /used already/,
    ],
    [
      "streams text",
      "return new Response(new ReadableStream({ start(c) { c.enqueue('text'); c.close(); } }))",
      "bad_response",
      /stream of Uint8Array, not of "text"/,
    ],
    [
      "fails in the middle of its body",
      "return new Response(new ReadableStream({ pull(c) { c.error(new RangeError('cut')); } }))",
      "function_error",
      /^cut$/,
    ],
  ];
  for (const [what, body, code, message] of bad)
    test(`that ${what} is answered with ${code}`, async () => {
      await using host = await fetchFunction(body);
      const { error } = await host.invoke();
      assert.equal(error?.code, code);
      assert.match(error?.message ?? "", message);
      assert.equal((await host.ping()).inProgress, 0);
    });
});
