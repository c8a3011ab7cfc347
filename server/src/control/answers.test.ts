import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ControlFixture, openControlPlane, operationsOf } from "./control-plane.fixture.ts";

const files = { "index.mjs": "export const handler = () => 1" };
const hello = { name: "hello", runtime: "nodejs", code: { files } };

async function createHello(plane: ControlFixture): Promise<void> {
  await plane.call("POST", "/api/v1/functions", { body: hello });
}

describe("errors", () => {
  test("are well formed for any JSON sent anywhere", async (t) => {
    const plane = await openControlPlane(t);
    await createHello(plane);
    const unsafe = operationsOf(plane.app).filter(
      ({ method, path }) => method !== "GET" && method !== "DELETE" && !path.includes("{id}"),
    );
    const keys = ["name", "runtime", "route", "env", "labels", "code", "files", "zip", "revision"];
    const more = ["event", "request", "scopes", "expiresAt", "memoryMiB", "handler", "__proto__"];
    const near = fc.dictionary(fc.constantFrom(...keys, ...more), fc.jsonValue({ maxDepth: 2 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...unsafe),
        fc.oneof(near, fc.jsonValue({ maxDepth: 3 })),
        async ({ method, path }, value) => {
          const response = await plane.call(method, path.replace("{name}", "hello"), {
            body: JSON.stringify(value),
            headers: { "content-type": "application/json" },
          });
          assert.notEqual(response.statusCode, 500, response.body);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("are well formed for text that is no JSON, a body that is too large, and unknown paths", async (t) => {
    const plane = await openControlPlane(t);
    const headers = { "content-type": "application/json" };
    const url = "/api/v1/keys";
    for (const [body, status] of [
      ["{", 400],
      ['{"__proto__":{}}', 400],
      ["", 400],
      [`"${"x".repeat(1_048_577)}"`, 413],
    ] as const)
      assert.equal((await plane.call("POST", url, { body, headers })).statusCode, status);
    for (const path of ["/", "/api/v1/nothing", "/api/v2/functions", "/%zz", "/docs/other"])
      assert.ok([400, 404].includes((await plane.call("GET", path)).statusCode), path);
    assert.equal((await plane.call("POST", "/healthz")).statusCode, 404);
    assert.equal((await plane.call("GET", "/api/v1/functions/Bad_Name")).statusCode, 400);
  });

  test("come as JSON also for bytes that are no HTTP", async (t) => {
    const { app } = await openControlPlane(t);
    await app.listen({ port: 0, host: "127.0.0.1" });
    const address = app.server.address();
    assert.ok(typeof address === "object" && address !== null);
    const socket = connect(address.port, "127.0.0.1");
    socket.end("nonsense\r\n\r\n");
    let answer = "";
    for await (const chunk of socket) answer += chunk;
    const [head, body] = answer.split("\r\n\r\n");
    assert.match(head ?? "", /^HTTP\/1\.1 400 .*isola-request-id: /s);
    assert.equal(JSON.parse(body ?? "").error.code, "bad_http");
  });

  test("of defects tell nothing of their cause", async (t) => {
    const plane = await openControlPlane(t);
    plane.store.listKeys = async () => {
      throw new Error("secret detail");
    };
    const response = await plane.call("GET", "/api/v1/keys");
    assert.equal(response.statusCode, 500);
    assert.doesNotMatch(response.body, /secret/);
  });
});

describe("Idempotency-Key", () => {
  const once = (key: string) => ({ "idempotency-key": key });

  test("makes a repeated call answer as the first did, and carries it out once", async (t) => {
    const plane = await openControlPlane(t);
    const headers = once("a");
    const first = await plane.call("POST", "/api/v1/functions", { body: hello, headers });
    const second = await plane.call("POST", "/api/v1/functions", { body: hello, headers });
    assert.equal(second.statusCode, 201);
    assert.equal(second.body, first.body);
    assert.equal(second.headers.etag, first.headers.etag);
    assert.equal(second.headers["isola-replayed"], "true");
    const put = () =>
      plane.call("PUT", "/api/v1/functions/hello/code", { body: { files }, headers: once("b") });
    assert.equal((await put()).json().liveRevision, 2);
    assert.equal((await put()).json().liveRevision, 2);
  });

  test("refuses another call under a key that was used", async (t) => {
    const plane = await openControlPlane(t);
    const headers = once("a");
    await plane.call("POST", "/api/v1/functions", { body: hello, headers });
    for (const [method, url, body] of [
      ["POST", "/api/v1/functions", { ...hello, name: "other" }],
      ["PATCH", "/api/v1/functions/hello", hello],
      ["DELETE", "/api/v1/functions/hello", undefined],
    ] as const) {
      const refused = await plane.call(method, url, {
        body: method === "PATCH" ? { memoryMiB: 256 } : body,
        headers,
      });
      assert.equal(refused.statusCode, 409, `${method} ${url}`);
    }
    const other = await plane.call("DELETE", "/api/v1/functions/hello", {
      headers,
      scope: "deploy",
    });
    assert.equal(other.statusCode, 200, "keys of other callers are others");
  });

  test("lets twenty calls at once make one function", async (t) => {
    const plane = await openControlPlane(t);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        plane.call("POST", "/api/v1/functions", { body: hello, headers: once("a") }),
      ),
    );
    assert.deepEqual(new Set(answers.map(({ statusCode }) => statusCode)), new Set([201]));
    assert.equal(new Set(answers.map(({ body }) => body)).size, 1);
  });

  test("keeps no failure, so that the call may be made again", async (t) => {
    const plane = await openControlPlane(t);
    const patch = () =>
      plane.call("PATCH", "/api/v1/functions/hello", {
        body: { memoryMiB: 256 },
        headers: once("a"),
      });
    assert.equal((await patch()).statusCode, 404);
    await createHello(plane);
    assert.equal((await patch()).json().memoryMiB, 256);
  });

  test("never keeps the secret of a key", async (t) => {
    const plane = await openControlPlane(t);
    const body = { name: "ci", scopes: ["read"] };
    const make = () => plane.call("POST", "/api/v1/keys", { body, headers: once("a") });
    assert.match((await make()).json().key, /^isola_/);
    const again = await make();
    assert.equal(again.statusCode, 201);
    assert.equal(again.json().key, null);
  });

  test("of a wrong shape is refused", async (t) => {
    const plane = await openControlPlane(t);
    for (const key of ["", "a b", "x".repeat(201)]) {
      const headers = once(key);
      const refused = await plane.call("POST", "/api/v1/functions", { body: hello, headers });
      assert.equal(refused.statusCode, 400, key.slice(0, 10));
    }
  });
});

describe("keys", () => {
  test("work until they are revoked or expire, and are listed without their secret", async (t) => {
    const plane = await openControlPlane(t);
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const body = { name: "ci", scopes: ["read", "invoke"], expiresAt };
    const made = (await plane.call("POST", "/api/v1/keys", { body })).json();
    const headers = { authorization: `Bearer ${made.key}` };
    const use = () => plane.call("GET", "/api/v1/functions", { scope: null, headers });
    assert.equal((await use()).statusCode, 200);
    const list = await plane.call("GET", "/api/v1/keys");
    assert.ok(list.json().items.some((key: { id: string }) => key.id === made.id));
    assert.ok(!list.body.includes(made.key.split("_")[2]));
    const revoked = await plane.call("DELETE", `/api/v1/keys/${made.id}`);
    assert.notEqual(revoked.json().revokedAt, null);
    assert.equal((await use()).statusCode, 401);
    const past = { name: "old", scopes: ["read"], expiresAt: "2020-01-01T00:00:00Z" };
    assert.equal((await plane.call("POST", "/api/v1/keys", { body: past })).statusCode, 400);
    assert.equal((await plane.call("DELETE", "/api/v1/keys/unknown")).statusCode, 404);
  });

  test("are listed in pages that hold every key once", async (t) => {
    const plane = await openControlPlane(t);
    for (const name of ["a", "b", "c"])
      await plane.call("POST", "/api/v1/keys", { body: { name, scopes: ["read"] } });
    const names: string[] = [];
    let cursor: string | null = "";
    for (let page = 0; page < 4 && cursor !== null; page++) {
      const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const response = await plane.call("GET", `/api/v1/keys?limit=1${more}`);
      const answer = response.json<{ items: { name: string }[]; nextCursor: string | null }>();
      names.push(...answer.items.map((key) => key.name));
      cursor = answer.nextCursor;
    }
    assert.deepEqual(names.toSorted(), ["a", "admin", "b", "c"]);
    const wrong = await plane.call("GET", "/api/v1/keys?cursor=nonsense");
    assert.equal(wrong.statusCode, 400);
  });
});
