import assert from "node:assert/strict";
import { type TestContext, describe, test } from "node:test";
import { openControlPlane, operationsOf } from "./control-plane.fixture.ts";

const projects = "/api/v1/projects";
const functions = "/api/v1/functions";
const keys = "/api/v1/keys";
const code = { files: { "index.mjs": "export const handler = () => 1" } };

/** The matrix as docs state it, apart from how routes declare it. */
const ofAllProjects = new Set([
  ...[`POST ${projects}`, `PATCH ${projects}/{name}`, `DELETE ${projects}/{name}`],
  ...["POST /api/v1/images", "DELETE /api/v1/images"],
]);
const bodies: Record<string, object> = {
  [`POST ${functions}`]: { name: "new", runtime: "nodejs", code },
  [`PATCH ${functions}/{name}`]: { memoryMiB: 256 },
  [`PUT ${functions}/{name}/code`]: code,
  [`POST ${functions}/{name}/rollback`]: { revision: 1 },
  [`POST ${functions}/{name}/invocations`]: { event: 1 },
  [`POST ${functions}/{name}/debug-sessions`]: {},
  "POST /api/v1/comparisons": { function: "hello" },
};

/** `hello` in the projects `one` and `default`. */
async function open(t: TestContext) {
  const plane = await openControlPlane(t, undefined, undefined, { acceptProjectsOnProcess: true });
  for (const name of ["one", "two"]) await plane.call("POST", projects, { body: { name } });
  for (const query of ["", "?project=one"]) {
    const body = { name: "hello", runtime: "nodejs", code, env: { OF: query } };
    const made = await plane.call("POST", `${functions}${query}`, { body });
    assert.equal(made.statusCode, 201);
  }
  return plane;
}

describe("a key of one project", () => {
  test("means that project without naming it, and finds no other", async (t) => {
    const { call } = await open(t);
    const mine = await call("GET", `${functions}/hello`, { project: "one" });
    assert.equal(mine.json().project, "one");
    assert.equal((await call("GET", functions, { project: "two" })).json().items.length, 0);
    const own = await call("GET", `${functions}?project=one`, { project: "one" });
    assert.equal(own.json().items.length, 1);
    for (const asked of ["default", "two", "missing"]) {
      const answer = await call("GET", `${functions}/hello?project=${asked}`, { project: "one" });
      assert.equal(answer.statusCode, 404);
      assert.equal(answer.json().error.message, `project "${asked}" does not exist`);
    }
    const all = await call("GET", `${functions}?projects=all`, { project: "one" });
    assert.deepEqual(
      all.json().items.map((fn: { project: string }) => fn.project),
      ["one"],
    );
    const ofAll = (await call("GET", `${functions}?projects=all`)).json().items;
    assert.deepEqual(ofAll.map((fn: { project: string }) => fn.project).toSorted(), [
      "default",
      "one",
    ]);
    assert.equal((await call("GET", `${functions}?projects=all&project=one`)).statusCode, 400);
    for (const list of ["invocations", "events"]) {
      const url = `/api/v1/${list}?projects=all`;
      assert.equal((await call("GET", url, { project: "one" })).statusCode, 200);
      assert.equal((await call("GET", url)).statusCode, 200);
    }
    const missing = await call("GET", `${functions}?project=missing`);
    assert.equal(missing.json().error.message, 'project "missing" does not exist');
    const listed = (await call("GET", projects, { project: "one" })).json().items;
    assert.deepEqual(
      listed.map(({ name }: { name: string }) => name),
      ["one"],
    );
    assert.equal((await call("GET", `${projects}/one`, { project: "one" })).statusCode, 200);
    assert.equal((await call("GET", `${projects}/two`, { project: "one" })).statusCode, 404);
  });

  test("finds no other by any call, whatever its scopes, and is refused what concerns all", async (t) => {
    const plane = await open(t);
    const before = structuredClone(plane.gateway.functions);
    let seen = 0;
    for (const { method, path, parameters } of operationsOf(plane.app)) {
      const name = `${method} ${path}`;
      const url = path.replace("{name}", "hello").replaceAll(/\{\w+\}/g, "nothing");
      const ask = { project: "one", ...(bodies[name] !== undefined && { body: bodies[name] }) };
      if (ofAllProjects.has(name)) {
        assert.equal((await plane.call(method, url, ask)).statusCode, 403, name);
        continue;
      }
      if (!parameters?.some((one) => one.in === "query" && one.name === "project")) continue;
      seen += 1;
      for (const asked of ["default", "two"]) {
        const answer = await plane.call(method, `${url}?project=${asked}`, ask);
        assert.equal(answer.statusCode, 404, `${name} ${answer.body}`);
        assert.equal(answer.json().error.message, `project "${asked}" does not exist`);
      }
    }
    assert.ok(seen >= 18, "calls about what a project owns");
    assert.deepEqual(plane.gateway.functions, before);
    assert.equal(plane.gateway.invoked.length, 0);
  });

  test("that is an admin's makes, sees and revokes keys of its project alone", async (t) => {
    const { call } = await open(t);
    const body = { name: "ci", scopes: ["read"] };
    const made = (await call("POST", keys, { project: "one", body })).json();
    assert.equal(made.project, "one");
    const foreign = (await call("POST", keys, { body: { ...body, project: "two" } })).json();
    assert.equal(foreign.project, "two");
    const free = (await call("POST", keys, { body })).json();
    assert.equal(free.project, null);
    const asOne = (more: object) =>
      call("POST", keys, { project: "one", body: { ...body, ...more } });
    assert.equal((await asOne({ project: "two" })).statusCode, 404);
    assert.equal((await asOne({ project: null })).statusCode, 403);
    assert.equal((await asOne({ project: "one" })).statusCode, 201);
    const listed = (await call("GET", keys, { project: "one" })).json().items;
    assert.ok(listed.length >= 3);
    assert.ok(listed.every(({ project }: { project: string }) => project === "one"));
    assert.equal((await call("GET", `${keys}?project=two`, { project: "one" })).statusCode, 404);
    const ofTwo = (await call("GET", `${keys}?project=two`)).json().items;
    assert.deepEqual(
      ofTwo.map(({ id }: { id: string }) => id),
      [foreign.id],
    );
    for (const { id } of [foreign, free, { id: "missing" }]) {
      const refused = await call("DELETE", `${keys}/${id}`, { project: "one" });
      assert.equal(refused.statusCode, 404);
      assert.equal(refused.json().error.message, `key "${id}" does not exist`);
    }
    const revoked = await call("DELETE", `${keys}/${made.id}`, { project: "one" });
    assert.equal(revoked.statusCode, 200);
    assert.equal((await call("POST", keys, { body: { ...body, project: "no" } })).statusCode, 404);
  });

  test("keeps its project from being deleted until it is revoked", async (t) => {
    const { call } = await open(t);
    const body = { name: "ci", scopes: ["read"], project: "two" };
    const { id } = (await call("POST", keys, { body })).json();
    const refused = await call("DELETE", `${projects}/two`);
    assert.equal(refused.statusCode, 409);
    assert.match(refused.json().error.message, new RegExp(`keys \\(${id} "ci"\\)`));
    await call("DELETE", `${keys}/${id}`);
    assert.equal((await call("DELETE", `${projects}/two`)).statusCode, 200);
  });

  test("sees in the state of the server the pools of its project alone", async (t) => {
    const { call, gateway } = await open(t);
    const pool = { revision: 1, driver: "process", sandboxes: {}, queued: 0, running: 0 };
    for (const project of ["one", "default"])
      gateway.status.pools.push({ project, functionName: "hello", ...pool });
    const seen = async (project: string | null) =>
      (await call("GET", "/api/v1/system", { project }))
        .json()
        .gateway.pools.map((one: { project: string }) => one.project);
    assert.deepEqual(await seen("one"), ["one"]);
    assert.deepEqual(await seen(null), ["one", "default"]);
  });
});
