import assert from "node:assert/strict";
import { type TestContext, describe, test } from "node:test";
import { batchOf, invocation, logLine } from "../store/conformance/fixture.ts";
import { systemClock } from "../domain/clock.ts";
import {
  type CallOptions,
  type ControlFixture,
  openControlPlane,
} from "./control-plane.fixture.ts";
import type { ControlSettings } from "./ports.ts";

const projects = "/api/v1/projects";
const functions = "/api/v1/functions";
const code = { files: { "index.mjs": "export const handler = () => 1" } };

/** With the projects `one` and `two`, and the drivers `process` and `docker`. */
async function open(t: TestContext, more: Partial<ControlSettings> = {}) {
  const plane = await openControlPlane(t, systemClock, (store) => store, more);
  const [first] = plane.gateway.status.drivers;
  assert.ok(first);
  plane.gateway.status.drivers.push({ ...first, name: "docker", tier: "container" });
  for (const name of ["one", "two"])
    assert.equal((await plane.call("POST", projects, { body: { name } })).statusCode, 201);
  const status = async (method: string, url: string, options?: CallOptions) =>
    (await plane.call(method, url, options)).statusCode;
  return { ...plane, status };
}

function create(plane: Pick<ControlFixture, "call">, query: string, body: object = {}) {
  const whole = { name: "hello", runtime: "nodejs", driver: "docker", code, ...body };
  return plane.call("POST", `${functions}${query}`, { body: whole });
}

describe("a project", () => {
  test("is made, shown, changed with If-Match, and deleted once nothing is left in it", async (t) => {
    const plane = await open(t);
    const { call, status } = plane;
    const body = { name: "team-a", description: "the first", driver: "docker" };
    const made = await call("POST", projects, { body });
    assert.equal(made.statusCode, 201);
    assert.equal(made.headers.location, `${projects}/team-a`);
    const { etag, url, createdAt, updatedAt, ...rest } = made.json();
    assert.deepEqual(rest, body);
    assert.equal(url, "http://localhost:8080/~team-a");
    assert.equal(made.headers.etag, etag);
    assert.deepEqual((await call("GET", `${projects}/team-a`)).json(), made.json());
    assert.equal(createdAt, updatedAt);
    const change = (headers: Record<string, string>, to: object) =>
      call("PATCH", `${projects}/team-a`, { headers, body: to });
    assert.equal((await change({ "if-match": '"v9"' }, { driver: null })).statusCode, 412);
    const changed = await change({ "if-match": etag }, { driver: null });
    assert.deepEqual(
      [changed.json().driver, changed.json().description, changed.headers.etag],
      [null, "the first", '"v2"'],
    );
    assert.equal(await status("POST", projects, { body }), 409);
    assert.equal((await create(plane, "?project=team-a")).statusCode, 201);
    const refused = await call("DELETE", `${projects}/team-a`);
    assert.equal(refused.statusCode, 409);
    assert.match(refused.json().error.message, /still has functions \(hello\)/);
    assert.equal(await status("DELETE", `${functions}/hello?project=team-a`), 200);
    assert.deepEqual((await call("DELETE", `${projects}/team-a`)).json(), { name: "team-a" });
    assert.equal(await status("GET", `${projects}/team-a`), 404);
    assert.equal(await status("GET", `${functions}?project=team-a`), 404);
    assert.equal(await status("DELETE", `${projects}/default`), 409);
    assert.equal(await status("POST", projects, { body: { name: "Team_A" } }), 400);
  });

  test("is listed by pages without gaps, and a repeated call with an Idempotency-Key makes one", async (t) => {
    const { call } = await open(t);
    const headers = { "idempotency-key": "once" };
    const first = await call("POST", projects, { headers, body: { name: "three" } });
    const again = await call("POST", projects, { headers, body: { name: "three" } });
    assert.deepEqual(again.json(), first.json());
    const names: string[] = [];
    for (let cursor = ""; ; ) {
      const page = (await call("GET", `${projects}?limit=1${cursor}`)).json();
      names.push(...page.items.map(({ name }: { name: string }) => name));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    assert.deepEqual(names, ["default", "one", "three", "two"]);
  });
});

describe("functions of one name in two projects", () => {
  test("are two: with addresses, settings, routes and revisions of their own", async (t) => {
    const plane = await open(t);
    const { call, gateway, status } = plane;
    const route = { path: "/users/:id" };
    for (const query of ["", "?project=one", "?project=two"]) {
      const made = await create(plane, query, { route, env: { OF: query } });
      assert.equal(made.statusCode, 201, made.body);
      assert.equal(made.headers.location, `${functions}/hello${query}`);
    }
    const one = (await call("GET", `${functions}/hello?project=one`)).json();
    assert.equal(one.project, "one");
    assert.deepEqual(one.urls, [
      "http://localhost:8080/~one/hello",
      "http://localhost:8080/~one/users/:id",
    ]);
    assert.equal(
      await status("PATCH", `${functions}/hello?project=one`, { body: { env: {} } }),
      200,
    );
    assert.deepEqual(gateway.functions.get("one/hello")?.settings.env, {});
    assert.deepEqual(gateway.functions.get("two/hello")?.settings.env, { OF: "?project=two" });
    assert.equal(gateway.functions.get("hello")?.revision, 1);
    const invoke = await call("POST", `${functions}/hello/invocations?project=two`, {
      body: { event: 1 },
    });
    assert.equal(invoke.statusCode, 200);
    assert.equal(gateway.invoked.at(-1)?.project, "two");
    assert.equal(await status("DELETE", `${functions}/hello?project=one`), 200);
    assert.equal(gateway.functions.has("one/hello"), false);
    assert.equal(await status("GET", `${functions}/hello?project=two`), 200);
    const marked = await create(plane, "?project=two", { name: "x", route: { path: "/~one/x" } });
    assert.equal(marked.statusCode, 400);
    assert.equal(marked.json().error.details[0].path, "route.path");
  });

  test("and their invocations, logs, revisions and builds are seen in their own project alone", async (t) => {
    const plane = await open(t);
    const { call, store, status } = plane;
    for (const query of ["?project=one", "?project=two"]) await create(plane, query);
    const ofOne = { project: "one", functionName: "hello" };
    await store.recordBatch(
      batchOf([invocation({ ...ofOne, id: "inv-one" })], [logLine({ ...ofOne, text: "secret" })]),
    );
    const items = async (url: string) => (await call("GET", url)).json().items.length;
    for (const path of ["/api/v1/invocations", `${functions}/hello/invocations`]) {
      assert.equal(await items(`${path}?project=one`), 1, path);
      assert.equal(await items(`${path}?project=two`), 0, path);
    }
    assert.equal(await items(`${functions}/hello/logs?project=one`), 1);
    assert.equal(await items(`${functions}/hello/logs?project=two`), 0);
    assert.equal(await status("GET", "/api/v1/invocations/inv-one?project=one"), 200);
    assert.equal(await status("GET", "/api/v1/invocations/inv-one?project=two"), 404);
    assert.equal(await status("GET", "/api/v1/invocations/inv-one"), 404);
  });
});

describe("the driver of a function that is created without one", () => {
  test("is that of its project, else the server's; a change of the project leaves functions as they are", async (t) => {
    const plane = await open(t, { defaultDriver: "process" });
    const { call } = plane;
    const setDriver = (driver: string | null) =>
      call("PATCH", `${projects}/one`, { body: { driver } });
    const made = async (name: string, body: object = {}) =>
      (await create(plane, "?project=one", { driver: undefined, name, ...body })).json().driver;
    await setDriver("docker");
    assert.equal(await made("a"), "docker");
    await setDriver(null);
    assert.equal(await made("b"), "process");
    assert.equal(await made("c", { driver: "docker" }), "docker");
    const patched = await call("PATCH", `${functions}/a?project=one`, { body: { memoryMiB: 256 } });
    assert.deepEqual([patched.json().driver, patched.json().liveRevision], ["docker", 2]);
    await setDriver("gvisor");
    const refused = await create(plane, "?project=one", { driver: undefined, name: "d" });
    assert.equal(refused.json().error.code, "driver_unavailable");
  });
});

describe("the driver process", () => {
  const onProcess = { driver: "process" };

  test("serves one project alone, whichever comes first, until that leaves it", async (t) => {
    const plane = await open(t);
    const { call, gateway, status } = plane;
    assert.equal((await create(plane, "?project=one", onProcess)).statusCode, 201);
    assert.equal(
      (await create(plane, "?project=one", { ...onProcess, name: "b" })).statusCode,
      201,
    );
    const refused = await create(plane, "?project=two", onProcess);
    assert.equal(refused.statusCode, 409);
    const { code: reason, message } = refused.json().error;
    assert.equal(reason, "driver_unavailable");
    assert.match(message, /no boundary between two.*acceptProjectsOnProcess/);
    assert.doesNotMatch(message, /\bone\b/, "names no other tenant");
    assert.equal((await create(plane, "?project=two")).statusCode, 201);
    const two = `${functions}/hello?project=two`;
    assert.equal(await status("PATCH", two, { body: onProcess }), 409);
    assert.equal(gateway.functions.get("two/hello")?.settings.driver, "docker");
    const left = { body: { driver: "docker" } };
    assert.equal(await status("PATCH", `${functions}/hello?project=one`, left), 200);
    assert.equal(await status("PATCH", two, { body: onProcess }), 409);
    assert.equal(await status("DELETE", `${functions}/b?project=one`), 200);
    assert.equal(await status("PATCH", two, { body: onProcess }), 200);
    const back = await call("POST", `${functions}/hello/rollback?project=one`, {
      body: { revision: 1 },
    });
    assert.equal(back.json().error.code, "driver_unavailable");
  });

  test("serves several where the operator accepts it; without that, no server starts with them", async (t) => {
    const plane = await open(t, { acceptProjectsOnProcess: true });
    for (const query of ["", "?project=one"])
      assert.equal((await create(plane, query, onProcess)).statusCode, 201);
    await assert.rejects(
      openControlPlane(t, systemClock, () => plane.store),
      (error: { code?: string; message?: string }) =>
        error.code === "invalid_settings" &&
        /projects default, one have functions on the driver process/.test(error.message ?? ""),
    );
  });
});
