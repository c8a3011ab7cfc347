import assert from "node:assert/strict";
import { type TestContext, describe, test } from "node:test";
import { workplace } from "../../test/run-isola.ts";

/** A function `f`, and a server that answers each call of it with `hello`. */
async function withFunction(t: TestContext) {
  const place = await workplace(t);
  place.write("f/index.mjs", "export const handler = async () => 1;");
  await place.isola("deploy", "f");
  place.api.answer = {
    ...{ id: "inv-1", revision: 1, outcome: "ok", error: null, status: 200, startKind: "warm" },
    headers: [["content-type", "text/plain"]],
    ...{ body: "hello", bodyBase64: null, logs: [] },
    phases: { queueMs: 0.1, startMs: null, initMs: null, runMs: 2.3 },
  };
  return place;
}

describe("isola invoke", () => {
  test("takes an event as JSON, from a file by its path or with @, and from a sample", async (t) => {
    const { api, write, isola } = await withFunction(t);
    write("event.json", '{ "n": 1 }\n');
    for (const event of ["event.json", "./event.json", "@event.json", '{"n":1}']) {
      api.invoked = null;
      assert.equal((await isola("invoke", "f", "--event", event)).exitCode, 0);
      assert.deepEqual(api.invoked, { event: { n: 1 } });
    }
    // JSON that is also the name of a file is JSON.
    write("7", "[]");
    await isola("invoke", "f", "--event", "7");
    assert.deepEqual(api.invoked, { event: 7 });
    await isola("invoke", "f", "--sample", "scheduled");
    assert.equal((api.invoked as any).event["detail-type"], "Scheduled Event");
    write("bad.json", "{");
    for (const [event, says] of [
      ["bad.json", /bad\.json is not: /],
      ["missing.json", /must be JSON.*nor is there a file .*missing\.json/],
      ["f", /must be JSON/],
    ] as const) {
      const { exitCode, stderr } = await isola("invoke", "f", "--event", event);
      assert.equal(exitCode, 2);
      assert.match(stderr, says);
    }
    const unknown = await isola("invoke", "f", "--sample", "sqz");
    assert.equal(unknown.exitCode, 2);
    assert.match(unknown.stderr, /one of .*sns, sqs; given: sqz/);
  });

  test("takes a request as method and path, or whole from a file, to which flags add", async (t) => {
    const { api, write, isola } = await withFunction(t);
    await isola("invoke", "f", "--http", "POST /path?x=1", "--header", "a: b", "--data", "text");
    const request = { method: "POST", path: "/path?x=1", headers: [["a", "b"]], body: "text" };
    assert.deepEqual(api.invoked, { request });
    write("r.http", "PUT /a HTTP/1.1\nX-A: 1\nx-b: 2\nContent-Length: 3\n\none\n");
    await isola("invoke", "f", "--http", "@r.http");
    const headers = [
      ["X-A", "1"],
      ["x-b", "2"],
      ["Content-Length", "3"],
    ];
    assert.deepEqual(api.invoked, { request: { method: "PUT", path: "/a", headers, body: "one" } });
    await isola("invoke", "f", "--http", "@r.http", "--header", "x-a: 9", "--data", "other");
    const changed = [
      ["x-b", "2"],
      ["x-a", "9"],
    ];
    const put = { method: "PUT", path: "/a", headers: changed, body: "other" };
    assert.deepEqual(api.invoked, { request: put });
  });

  test("refuses what says the same in two ways", async (t) => {
    const { isola } = await workplace(t);
    for (const flags of [
      ["--event", "1", "--sample", "sqs"],
      ["--http", "/a", "--event", "1"],
      ["--sample", "sqs", "--path", "/a"],
      ["--http", "/a", "--method", "GET"],
    ])
      assert.equal((await isola("invoke", "f", ...flags)).exitCode, 2, flags.join(" "));
  });

  test("shows status and headers before the answer, as curl does", async (t) => {
    const { isola } = await withFunction(t);
    const { stdout } = await isola("invoke", "f", "-i");
    assert.equal(stdout, "HTTP/1.1 200 OK\ncontent-type: text/plain\n\nhello\n");
  });
});
