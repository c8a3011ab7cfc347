import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually } from "./harness.ts";

let server: TestServer;

before(async () => {
  server = await new TestServer().start();
});

after(async () => {
  await server.dispose();
});

const hello = {
  "index.mjs":
    'export const handler = async (event) => ({ statusCode: 200, body: `hello ${event.queryStringParameters?.name ?? "you"}` });',
};

describe("a function", () => {
  test("answers on its default route, first prewarmed and then warm, with its timing", async () => {
    await server.deploy("hello", hello);
    const first = await server.call("/hello?name=ada");
    assert.equal(first.status, 200);
    assert.equal(first.text, "hello ada");
    assert.match(first.headers.get("isola-request-id") ?? "", /^inv-/);
    assert.match(
      first.headers.get("server-timing") ?? "",
      /queue;dur=.*start;dur=.*init;dur=.*run;dur=/,
    );
    const second = await server.call("/hello");
    assert.equal(second.text, "hello you");
    assert.doesNotMatch(second.headers.get("server-timing") ?? "", /init/);
    const id = first.headers.get("isola-request-id");
    const kept = await eventually("the record", async () => {
      const answer = await server.api("GET", `/api/v1/invocations/${id}`);
      return answer.status === 200 ? answer.json : null;
    });
    assert.equal(kept.outcome, "ok");
    assert.ok(["prewarmed", "cold"].includes(kept.startKind), kept.startKind);
  });

  test("in Python answers too, and its log lines carry the invocation's id", async () => {
    const code =
      'import os\ndef handler(event, context):\n    print("said", context.aws_request_id)\n    os.write(1, b"raw line\\n")\n    return {"statusCode": 201, "body": event["rawPath"]}\n';
    await server.deploy("snake", { "app.py": code }, { runtime: "python" });
    const answer = await server.call("/snake/a%20b/c");
    assert.equal(answer.status, 201);
    assert.equal(answer.text, "/a%20b/c");
    const id = answer.headers.get("isola-request-id");
    const logs = await eventually("both lines", async () => {
      const page = await server.api("GET", `/api/v1/functions/snake/logs?invocation=${id}`);
      return page.json.items?.length >= 2 ? page.json.items : null;
    });
    assert.deepEqual(logs.map((line: any) => line.text).sort(), ["raw line", `said ${id}`]);
  });

  test("is warmed up without a call: the first call finds a sandbox that has loaded the code", async () => {
    await server.deploy("ready", hello);
    const warm = () => server.api("POST", "/api/v1/functions/ready/warm");
    const { json } = await warm();
    assert.equal(json.error, null);
    assert.equal(json.revision, 1);
    assert.ok(json.startKind === "prewarmed" || json.startKind === "cold", json.startKind);
    assert.equal(typeof json.phases.initMs, "number");
    const again = (await warm()).json;
    assert.deepEqual([again.startKind, again.sandboxId], ["warm", json.sandboxId]);
    const invocations = "/api/v1/functions/ready/invocations";
    const called = await server.api("POST", invocations, { event: {} });
    assert.equal(called.json.startKind, "warm");
    const calls = await eventually("the call", async () => {
      const { items } = (await server.api("GET", invocations)).json;
      return items.length > 0 ? items : null;
    });
    assert.deepEqual(
      calls.map((call: any) => [call.id, call.sandboxId]),
      [[called.json.id, json.sandboxId]],
    );
  });

  test("whose code does not load says so when it is warmed up, with its own words", async () => {
    await server.deploy("broken", { "index.mjs": "\nthrow new RangeError('not today');" });
    const { status, json } = await server.api("POST", "/api/v1/functions/broken/warm");
    assert.equal(status, 200);
    assert.deepEqual([json.startKind, json.sandboxId], [null, null]);
    assert.equal(json.error.code, "init_failed");
    assert.equal(json.error.type, "RangeError");
    assert.match(json.error.stack, /index\.mjs:2/);
    const nowhere = await server.api("POST", "/api/v1/functions/nothing/warm");
    assert.equal(nowhere.status, 404);
  });

  test("answers on its explicit route with path parameters, and not with other methods", async () => {
    const code = {
      "index.mjs":
        "export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify([event.routeKey, event.pathParameters, event.rawPath]) });",
    };
    await server.deploy("users", code, { route: { methods: ["GET"], path: "/people/:id" } });
    const found = await server.call("/people/a%20b");
    assert.deepEqual(found.json, ["GET /people/:id", { id: "a b" }, "/people/a%20b"]);
    const wrong = await server.call("/people/7", { method: "POST" });
    assert.equal(wrong.status, 405);
    assert.equal(wrong.json.error.code, "method_not_allowed");
    assert.equal(wrong.headers.get("allow"), "GET, HEAD");
  });

  test("streams both ways without waiting for the end of either", async () => {
    const code = {
      "index.mjs":
        "export default { async fetch(request) { return new Response(request.body, { headers: { 'content-type': 'application/octet-stream' } }); } };",
    };
    await server.deploy("echo", code);
    const call = request(`${server.gatewayUrl}/echo`, { method: "POST" });
    const echoed = new Promise<Buffer>((resolve, reject) => {
      call.on("error", reject);
      call.on("response", (response) => {
        response.once("data", (bytes: Buffer) => {
          resolve(bytes);
          call.end();
          response.resume();
        });
      });
    });
    call.write("first piece");
    assert.equal((await echoed).toString(), "first piece");
  });

  test("carries 20 MB through in both directions unharmed", async () => {
    const bytes = Buffer.alloc(20_000_000);
    for (let at = 0; at < bytes.length; at += 4)
      bytes.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
    const response = await fetch(`${server.gatewayUrl}/echo`, { method: "POST", body: bytes });
    assert.equal(Buffer.from(await response.arrayBuffer()).equals(bytes), true);
  });

  test("runs several calls at once in one sandbox when its concurrency says so", async () => {
    const code = {
      "index.mjs":
        "let open = 0; const waiting = []; export const handler = async () => { open += 1; await new Promise((resolve) => { waiting.push(resolve); if (waiting.length === 4) for (const each of waiting) each(); }); return open; };",
    };
    await server.deploy("together", code, { concurrency: 4, maxSandboxes: 1 });
    const answers = await Promise.all([1, 2, 3, 4].map(() => server.call("/together")));
    assert.deepEqual(
      answers.map((answer) => answer.text),
      ["4", "4", "4", "4"],
    );
  });
});

describe("a call that fails", () => {
  const failing: [string, Record<string, string>, Record<string, unknown>, number, string][] = [
    [
      "throws",
      {
        "index.mjs":
          "export const handler = async () => { throw new TypeError('secret reason'); };",
      },
      {},
      500,
      "function_error",
    ],
    [
      "exits",
      { "index.mjs": "export const handler = async () => process.exit(3);" },
      {},
      502,
      "sandbox_exited",
    ],
    [
      "spins",
      { "index.mjs": "export const handler = async () => { for (;;); };" },
      { timeoutMs: 200 },
      504,
      "function_timeout",
    ],
    [
      "hangs",
      { "index.mjs": "export const handler = () => new Promise(() => {});" },
      { timeoutMs: 200 },
      504,
      "function_timeout",
    ],
    ["no-handler", { "index.mjs": "export const other = 1;" }, {}, 502, "init_failed"],
    [
      "bad-import",
      { "index.mjs": "import 'nothing-of-this-name'; export const handler = async () => 1;" },
      {},
      502,
      "init_failed",
    ],
    [
      "slow-init",
      { "index.mjs": "for (;;); export const handler = async () => 1;" },
      { initTimeoutMs: 300 },
      504,
      "init_timeout",
    ],
    [
      "eats",
      {
        "index.mjs":
          "export const handler = async () => { const all = []; for (;;) all.push(Buffer.alloc(4_000_000, 1)); };",
      },
      { timeoutMs: 20_000 },
      502,
      "out_of_memory",
    ],
    [
      "bad-status",
      { "index.mjs": "export default { fetch() { return { status: 7 }; } };" },
      {},
      502,
      "bad_response",
    ],
    [
      "cycle",
      { "index.mjs": "export const handler = async () => { const a = {}; a.a = a; return a; };" },
      {},
      502,
      "bad_response",
    ],
  ];
  for (const [name, files, settings, status, code] of failing)
    test(`because the function ${name} gets ${status} ${code}, and the next call is served by a sound sandbox`, async () => {
      await server.deploy(name, files, settings);
      for (let turn = 0; turn < 2; turn += 1) {
        const answer = await server.call(`/${name}`);
        assert.equal(answer.status, status, answer.text);
        assert.equal(answer.json.error.code, code);
        assert.equal(answer.headers.get("isola-error"), code);
        assert.equal(answer.json.error.requestId, answer.headers.get("isola-request-id"));
        assert.doesNotMatch(answer.text, /secret reason/);
      }
    });

  test("shows the function's own words only where the function allows it", async () => {
    const files = {
      "index.mjs": "export const handler = async () => { throw new TypeError('shown reason'); };",
    };
    await server.deploy("open-errors", files, { exposeErrors: true });
    const { error } = (await server.call("/open-errors")).json;
    assert.equal(error.type, "TypeError");
    assert.equal(error.message, "shown reason");
    assert.match(error.stack, /index\.mjs/);
  });

  test("waits no longer for a sandbox than the queue allows", async () => {
    const files = {
      "index.mjs":
        "export const handler = () => new Promise((resolve) => setTimeout(resolve, 2000));",
    };
    await server.deploy("busy", files, { maxSandboxes: 1, queueTimeoutMs: 100 });
    const first = server.call("/busy");
    const running = () =>
      server.api("GET", "/api/v1/system").then(({ json }) => json.gateway?.runningInvocations > 0);
    await eventually("the first call to run", running);
    const second = await server.call("/busy");
    assert.equal(second.status, 503);
    assert.equal(second.json.error.code, "queue_timeout");
    assert.equal(second.headers.get("retry-after"), "1");
    assert.equal(second.json.error.limitMs, 100);
    assert.equal((await first).status, 200);
  });

  test("to a name that nobody has says so", async () => {
    const answer = await server.call("/nobody");
    assert.equal(answer.status, 404);
    assert.equal(answer.json.error.code, "route_not_found");
    for (const path of ["/hello/a%2fb", "/hello/a%5Cb", "/hello/%00", "/hello/%zz"]) {
      const refused = await server.call(path);
      assert.equal(refused.json.error.code, "bad_path", path);
    }
  });
});

describe("a deployment", () => {
  test("is in force when it is answered, and running calls finish on the old revision", async () => {
    const slow = {
      "index.mjs":
        "export const handler = async (event) => { if (event.rawPath === '/slow') await new Promise((resolve) => setTimeout(resolve, 400)); return 'one'; };",
    };
    await server.deploy("versions", slow, { concurrency: 10 });
    assert.equal((await server.call("/versions")).text, "one");
    const running = server.call("/versions/slow");
    const put = await server.api("PUT", "/api/v1/functions/versions/code", {
      files: { "index.mjs": "export const handler = async () => 'two';" },
    });
    assert.equal(put.status, 200, put.text);
    assert.equal((await server.call("/versions")).text, "two");
    assert.equal((await running).text, "one");
    const back = await server.api("POST", "/api/v1/functions/versions/rollback", { revision: 1 });
    assert.equal(back.status, 200, back.text);
    assert.equal((await server.call("/versions")).text, "one");
  });

  test("that is refused leaves the old revision in force", async () => {
    const refused = await server.api(
      "PUT",
      "/api/v1/functions/versions/code",
      Buffer.from("not a zip"),
      { "content-type": "application/zip" },
    );
    assert.equal(refused.status, 400);
    assert.equal(refused.json.error.code, "invalid_package");
    assert.equal((await server.call("/versions")).text, "one");
  });

  test("of environment variables reaches the code, which sees nothing of the host's", async () => {
    const files = { "index.mjs": "export const handler = async () => process.env;" };
    await server.deploy("env", files, { env: { GREETING: "hi" } });
    const { json } = await server.call("/env");
    assert.equal(json.GREETING, "hi");
    assert.equal(json.AWS_LAMBDA_FUNCTION_NAME, "env");
    assert.equal(json.LAMBDA_TASK_ROOT, "/var/task");
    assert.equal(json.ISOLA_CONTROL, undefined);
    assert.equal(json.ISOLA_DATA, undefined);
  });

  test("that is deleted stops answering", async () => {
    assert.equal((await server.api("DELETE", "/api/v1/functions/versions")).status, 200);
    assert.equal((await server.call("/versions")).status, 404);
  });
});
