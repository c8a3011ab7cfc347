import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ControlFixture } from "./control-plane.fixture.ts";
import { openControlPlane } from "./control-plane.fixture.ts";

const files = { "index.mjs": "export default { fetch: () => new Response('hi') };" };

async function create(plane: ControlFixture, body: object = {}) {
  const whole = { name: "hello", runtime: "nodejs", code: { files }, ...body };
  return plane.call("POST", "/api/v1/functions", { body: whole });
}

describe("a function", () => {
  test("is created, told to the gateway, changed, rolled back and deleted", async (t) => {
    const plane = await openControlPlane(t);
    const { call, gateway } = plane;
    const created = await create(plane, { env: { A: "1" }, labels: { tier: "web" } });
    assert.equal(created.statusCode, 201);
    const made = created.json();
    assert.equal(made.applied, true);
    assert.equal(made.runtime, "nodejs26");
    assert.equal(made.handler, "index.handler");
    assert.equal(made.url, "http://localhost:8080/hello");
    assert.equal(created.headers.etag, '"v1"');
    assert.equal(made.etag, '"v1"');
    assert.equal(gateway.functions.get("hello")?.revision, 1);

    const patched = await call("PATCH", "/api/v1/functions/hello", { body: { memoryMiB: 256 } });
    assert.equal(patched.json().liveRevision, 2);
    assert.equal(gateway.functions.get("hello")?.settings.memoryMiB, 256);
    assert.deepEqual(gateway.functions.get("hello")?.settings.env, { A: "1" });

    const code = { files: { "index.mjs": "other" } };
    const put = await call("PUT", "/api/v1/functions/hello/code", { body: code });
    assert.equal(put.json().liveRevision, 3);
    assert.notEqual(put.json().codeDigest, made.codeDigest);
    assert.equal(put.json().memoryMiB, 256);

    const back = await call("POST", "/api/v1/functions/hello/rollback", { body: { revision: 1 } });
    assert.equal(back.json().liveRevision, 1);
    assert.equal(back.json().latestRevision, 3);
    assert.equal(gateway.functions.get("hello")?.settings.memoryMiB, 128);

    const revisions = (await call("GET", "/api/v1/functions/hello/revisions")).json().items;
    assert.deepEqual(
      revisions.map((one: { revision: number; reason: string; isLive: boolean }) => [
        one.revision,
        one.reason,
        one.isLive,
      ]),
      [
        [3, "code", false],
        [2, "settings", false],
        [1, "create", true],
      ],
    );

    const gone = await call("DELETE", "/api/v1/functions/hello");
    assert.deepEqual(gone.json(), { name: "hello", applied: true });
    assert.equal(gateway.functions.size, 0);
    assert.equal((await call("GET", "/api/v1/functions/hello")).statusCode, 404);
  });

  test("gets code, settings and labels by one PATCH as one revision, and none where nothing differs", async (t) => {
    const plane = await openControlPlane(t);
    const url = "/api/v1/functions/hello";
    const first = (await create(plane)).json();
    const code = { files: { "index.mjs": "other" } };
    const body = { memoryMiB: 256, env: { A: "1" }, labels: { a: "b" }, code };
    const headers = { "if-match": first.etag };
    const patched = await plane.call("PATCH", url, { body, headers });
    assert.equal(patched.statusCode, 200);
    const { liveRevision, memoryMiB, labels, codeDigest } = patched.json();
    assert.deepEqual([liveRevision, memoryMiB, labels], [2, 256, { a: "b" }]);
    assert.notEqual(codeDigest, first.codeDigest);
    assert.equal(plane.gateway.functions.get("hello")?.artifact.digest, codeDigest);
    assert.equal((await plane.call("PATCH", url, { body, headers })).statusCode, 412);
    const same = (await plane.call("PATCH", url, { body: { ...body, description: "d" } })).json();
    assert.deepEqual([same.liveRevision, same.description], [2, "d"]);
    const settings = (await plane.call("PATCH", url, { body: { code, memoryMiB: 512 } })).json();
    assert.equal(settings.liveRevision, 3);
    const { items } = (await plane.call("GET", `${url}/revisions`)).json();
    const reasons = items.map((one: { reason: string }) => one.reason);
    assert.deepEqual(reasons, ["settings", "code", "create"]);
  });

  test("keeps code and settings as they were where a PATCH of both is refused", async (t) => {
    const plane = await openControlPlane(t);
    const url = "/api/v1/functions/hello";
    const first = (await create(plane)).json();
    await create(plane, { name: "other", route: { path: "/taken" } });
    const code = { files: { "index.mjs": "other" } };
    const refused = async (body: object) => {
      const answer = await plane.call("PATCH", url, { body });
      const now = (await plane.call("GET", url)).json();
      assert.deepEqual([now.codeDigest, now.etag], [first.codeDigest, first.etag]);
      return answer.json().error;
    };
    const taken = await refused({ code, route: { path: "/taken" } });
    assert.equal(taken.code, "route_conflict");
    assert.equal((await refused({ code, minSandboxes: 500 })).code, "invalid_request");
    assert.match((await refused({ code: {}, memoryMiB: 256 })).message, /either files or zip/);
    const unsafe = { files: { "../index.mjs": "" } };
    assert.equal((await refused({ code: unsafe, memoryMiB: 256 })).code, "invalid_package");
  });

  test("gets no revision by a change of description and labels, nor by settings it has already", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane);
    const body = { description: "says hi", labels: { a: "b" }, memoryMiB: 128, env: {} };
    const patched = (await plane.call("PATCH", "/api/v1/functions/hello", { body })).json();
    assert.equal(patched.liveRevision, 1);
    assert.equal(patched.description, "says hi");
    assert.deepEqual(patched.labels, { a: "b" });
    assert.notEqual(patched.etag, '"v1"');
  });

  test("keeps its resolved runtime until another is asked for", async (t) => {
    const plane = await openControlPlane(t);
    const made = (await create(plane, { runtime: "nodejs24" })).json();
    assert.equal(made.runtime, "nodejs24");
    const patch = async (body: object) =>
      (await plane.call("PATCH", "/api/v1/functions/hello", { body })).json();
    assert.equal((await patch({ memoryMiB: 200 })).runtime, "nodejs24");
    assert.equal((await patch({ runtime: "nodejs" })).runtime, "nodejs26");
    const python = await patch({ runtime: "python" });
    assert.equal(python.runtime, "python3.11");
    assert.equal(python.handler, "app.handler");
  });

  test("with an unknown runtime is refused, naming those installed", async (t) => {
    const plane = await openControlPlane(t);
    const refused = await create(plane, { runtime: "ruby" });
    assert.equal(refused.statusCode, 400);
    assert.match(refused.json().error.message, /nodejs24, nodejs26, python3.9, python3.11/);
    assert.equal(refused.json().error.details[0].path, "runtime");
  });

  test("with a name that is taken is refused", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane);
    const refused = await create(plane);
    assert.equal(refused.statusCode, 409);
    assert.equal(refused.json().error.code, "conflict");
  });

  test("is told all that is wrong with it at once", async (t) => {
    const plane = await openControlPlane(t);
    const body = {
      ...{ name: "X", memoryMiB: 64, minSandboxes: 9, maxSandboxes: 3, handler: "nothing" },
      ...{ route: { path: "a" }, env: { ISOLA_X: "1" }, labels: { "-": "" }, afterResponse: 1 },
      code: {},
    };
    const refused = await create(plane, body);
    assert.equal(refused.statusCode, 400);
    const details = refused.json().error.details as { path: string }[];
    assert.deepEqual(
      new Set(details.map(({ path }) => path)),
      new Set([
        ...["name", "memoryMiB", "minSandboxes", "handler", "route.path", "env.ISOLA_X"],
        ...['labels["-"]', "afterResponse", "code"],
      ]),
    );
    assert.deepEqual(
      details.find(({ path }) => path === "memoryMiB"),
      { path: "memoryMiB", expected: "integer from 128 to 10240", given: "64" },
    );
  });

  test("keeps minSandboxes within maxSandboxes also when only one of them is changed", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane, { maxSandboxes: 2 });
    const body = { minSandboxes: 3 };
    const refused = await plane.call("PATCH", "/api/v1/functions/hello", { body });
    assert.equal(refused.statusCode, 400);
    assert.equal(refused.json().error.details[0].path, "minSandboxes");
  });

  test("shows values of env only to keys that may deploy", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane, { env: { TOKEN: "s3cret" } });
    for (const url of ["/api/v1/functions/hello", "/api/v1/functions"]) {
      const masked = await plane.call("GET", url, { scope: "read" });
      assert.doesNotMatch(masked.body, /s3cret/);
      assert.match(masked.body, /"env":\{"TOKEN":null\}/);
      assert.match((await plane.call("GET", url, { scope: "deploy" })).body, /s3cret/);
    }
    const revisions = await plane.call("GET", "/api/v1/functions/hello/revisions", {
      scope: "read",
    });
    assert.doesNotMatch(revisions.body, /s3cret/);
  });
});

describe("If-Match", () => {
  test("lets a change through exactly where the version still holds", async (t) => {
    const plane = await openControlPlane(t);
    const etag = (await create(plane)).headers.etag as string;
    const patch = (tag: string, memoryMiB: number) =>
      plane.call("PATCH", "/api/v1/functions/hello", {
        body: { memoryMiB },
        headers: { "if-match": tag },
      });
    assert.equal((await patch(etag, 200)).statusCode, 200);
    const late = await patch(etag, 300);
    assert.equal(late.statusCode, 412);
    assert.equal((await patch("*", 300)).statusCode, 200);
    assert.equal((await patch('"other"', 400)).statusCode, 412);
    const headers = { "if-match": etag };
    const url = "/api/v1/functions/hello";
    for (const [method, path, body] of [
      ["PUT", `${url}/code`, { files }],
      ["POST", `${url}/rollback`, { revision: 1 }],
      ["DELETE", url, undefined],
    ] as const)
      assert.equal((await plane.call(method, path, { body, headers })).statusCode, 412, path);
  });

  test("lets one of many changes at once win", async (t) => {
    const plane = await openControlPlane(t);
    const headers = { "if-match": (await create(plane)).headers.etag as string };
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        plane.call("PATCH", "/api/v1/functions/hello", { body: { memoryMiB: 200 + at }, headers }),
      ),
    );
    const statuses = answers.map(({ statusCode }) => statusCode).toSorted();
    assert.deepEqual(statuses, [200, ...Array.from({ length: 9 }, () => 412)]);
  });
});

describe("code", () => {
  test("is taken as archive, and given back as it is kept", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane);
    const live = (await plane.call("GET", "/api/v1/functions/hello")).json();
    const tar = await plane.app.inject({
      url: "/api/v1/functions/hello/code",
      headers: { authorization: await plane.keyFor("read") },
    });
    assert.equal(tar.statusCode, 200);
    assert.equal(tar.headers["content-type"], "application/x-tar");
    assert.equal(tar.headers["isola-code-digest"], live.codeDigest);
    assert.equal(tar.rawPayload.length, live.codeBytes);
    const put = await plane.call("PUT", "/api/v1/functions/hello/code", {
      body: tar.rawPayload,
      headers: { "content-type": "application/x-tar" },
    });
    assert.equal(put.statusCode, 200);
    assert.equal(put.json().liveRevision, 2);
    const missing = await plane.call("GET", "/api/v1/functions/hello/code?revision=9");
    assert.equal(missing.statusCode, 404);
  });

  test("that is no package, or of another media type, is refused", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane);
    const broken = await plane.call("PUT", "/api/v1/functions/hello/code", {
      body: Buffer.from("PK nonsense"),
      headers: { "content-type": "application/zip" },
    });
    assert.equal(broken.json().error.code, "invalid_package");
    for (const type of ["text/plain", null]) {
      const headers: Record<string, string> = type === null ? {} : { "content-type": type };
      const body = type === null ? undefined : "x";
      const put = await plane.call("PUT", "/api/v1/functions/hello/code", { body, headers });
      assert.equal(put.statusCode, 415);
      assert.match(put.json().error.message, /application\/zip/);
    }
    const body = Buffer.from("x");
    const headers = { "content-type": "application/zip" };
    const elsewhere = await plane.call("POST", "/api/v1/keys", { body, headers });
    assert.equal(elsewhere.statusCode, 415);
  });

  test("that no revision refers to any more is removed, the rest stays", async (t) => {
    const plane = await openControlPlane(t);
    const kept = (await create(plane)).json().codeDigest;
    const code = { files: { "index.mjs": "other" } };
    const gone = (await create(plane, { name: "other", code })).json().codeDigest;
    await plane.call("DELETE", "/api/v1/functions/other");
    await plane.collectGarbage();
    (await plane.artifacts.open(kept)).destroy();
    await assert.rejects(plane.artifacts.open(gone), { code: "not_found" });
  });
});

describe("routes", () => {
  const route = (path: string, methods: string[] = []) => ({ route: { path, methods } });

  test("that answer the same requests are refused, naming both", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane, { name: "users", ...route("/users/:id") });
    const refused = await create(plane, { name: "people", ...route("/users/:name", ["GET"]) });
    assert.equal(refused.statusCode, 409);
    assert.equal(refused.json().error.code, "route_conflict");
    assert.match(
      refused.json().error.message,
      /\/users\/:name of people and \/users\/:id of users/,
    );
    assert.equal((await create(plane, { name: "me", ...route("/users/me") })).statusCode, 201);
  });

  test("are checked when settings change and at a rollback too", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane, { name: "a", ...route("/x") });
    const patch = (name: string, body: object) =>
      plane.call("PATCH", `/api/v1/functions/${name}`, { body });
    assert.equal((await patch("a", route("/y"))).statusCode, 200);
    assert.equal((await create(plane, { name: "b", ...route("/x") })).statusCode, 201);
    assert.equal((await patch("a", route("/x"))).statusCode, 409);
    const back = await plane.call("POST", "/api/v1/functions/a/rollback", {
      body: { revision: 1 },
    });
    assert.equal(back.statusCode, 409);
    assert.equal((await patch("b", { memoryMiB: 256 })).statusCode, 200);
  });

  test("do not hide the default route of a function that has no other", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane, { name: "hello" });
    for (const path of ["/hello", "/:any", "/*"]) {
      const refused = await create(plane, { name: "other", ...route(path, ["POST"]) });
      assert.equal(refused.statusCode, 409, path);
      assert.match(refused.json().error.message, /default route of hello/);
    }
    assert.equal((await create(plane, { name: "sub", ...route("/hello/:id") })).statusCode, 201);
    const own = { body: route("/hello") };
    assert.equal((await plane.call("PATCH", "/api/v1/functions/hello", own)).statusCode, 200);
    assert.equal((await create(plane, { name: "site", ...route("/*") })).statusCode, 201);
    const late = await create(plane, { name: "late" });
    assert.equal(late.statusCode, 409);
    assert.match(late.json().error.message, /\/late, the default route of late, .*\/\* of site/);
  });

  test("conflict also when two functions are created at once", async (t) => {
    const plane = await openControlPlane(t);
    const answers = await Promise.all(
      ["a", "b", "c"].map((name) => create(plane, { name, ...route("/same") })),
    );
    const statuses = answers.map(({ statusCode }) => statusCode).toSorted();
    assert.deepEqual(statuses, [201, 409, 409]);
  });
});

describe("the list of functions", () => {
  test("comes in pages that hold every function once", async (t) => {
    const plane = await openControlPlane(t);
    for (const name of ["a", "b", "c", "d", "e"]) await create(plane, { name });
    const names: string[] = [];
    let cursor = "";
    for (let page = 0; page < 3; page++) {
      const more = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const answer = (await plane.call("GET", `/api/v1/functions?limit=2${more}`)).json();
      names.push(...answer.items.map((one: { name: string }) => one.name));
      cursor = answer.nextCursor;
    }
    assert.deepEqual(names, ["a", "b", "c", "d", "e"]);
    assert.equal(cursor, null);
  });

  test("is searched, filtered by labels and sorted", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane, { name: "one", labels: { tier: "web", team: "a" } });
    await create(plane, { name: "two", labels: { tier: "web" }, description: "like one" });
    await create(plane, { name: "three" });
    const list = async (query: string) =>
      (await plane.call("GET", `/api/v1/functions?${query}`))
        .json()
        .items.map((one: { name: string }) => one.name);
    assert.deepEqual(await list("query=one"), ["one", "two"]);
    assert.deepEqual(await list("label=tier%3Dweb"), ["one", "two"]);
    assert.deepEqual(await list("label=tier&label=team%3Da"), ["one"]);
    assert.deepEqual(await list("sort=-name"), ["two", "three", "one"]);
  });

  for (const query of [
    "limit=0",
    "limit=201",
    "limit=x",
    "limit=1.5",
    "cursor=nonsense",
    "other=1",
    "sort=size",
  ])
    test(`refuses ?${query}`, async (t) => {
      const plane = await openControlPlane(t);
      const refused = await plane.call("GET", `/api/v1/functions?${query}`);
      assert.equal(refused.statusCode, 400);
    });
});
