import assert from "node:assert/strict";
import { after, test } from "node:test";
import { TestServer, eventually } from "./harness.ts";

const source = `export const handler = async (event) => {
  console.log("of", process.env.ISOLA_PROJECT);
  return { project: process.env.ISOLA_PROJECT, rawPath: event.rawPath, id: event.pathParameters?.id ?? null };
};`;
const server = new TestServer({ ISOLA_BLANK_PYTHON: "0" });
after(() => server.dispose());

test("two projects have functions of one name, with addresses, calls and logs apart; without the operator's word no server starts with both on process", async () => {
  await server.start({ ISOLA_ACCEPT_PROJECTS_ON_PROCESS: "true" });
  const made = await server.api("POST", "/api/v1/projects", { name: "one", driver: "process" });
  assert.equal(made.status, 201);
  const route = { path: "/users/:id" };
  const body = {
    name: "hello",
    runtime: "nodejs",
    route,
    code: { files: { "index.mjs": source } },
  };
  for (const project of ["default", "one"]) {
    const answer = await server.api("POST", `/api/v1/functions?project=${project}`, body);
    assert.equal(answer.status, 201, answer.text);
  }
  const call = async (path: string) => (await server.call(path)).json;
  const ofDefault = { project: "default", id: null };
  assert.deepEqual(await call("/hello/a"), { ...ofDefault, rawPath: "/a" });
  assert.deepEqual(await call("/~one/hello/a"), { ...ofDefault, project: "one", rawPath: "/a" });
  assert.deepEqual(await call("/users/7"), { project: "default", id: "7", rawPath: "/users/7" });
  assert.deepEqual(await call("/~one/users/7"), { project: "one", id: "7", rawPath: "/users/7" });
  assert.equal((await server.call("/~two/hello")).status, 404);
  assert.equal((await server.call("/one/hello")).status, 404);

  const asked = { name: "reader", scopes: ["read"], project: "one" };
  const { key } = (await server.api("POST", "/api/v1/keys", asked)).json;
  const authorization = `Bearer ${key}`;
  const read = (path: string) => server.api("GET", path, undefined, { authorization });
  const logs = await eventually("the logs of both calls", async () => {
    const { items } = (await read("/api/v1/functions/hello/logs")).json;
    return items.length === 2 && items;
  });
  assert.deepEqual(
    logs.map(({ text }: { text: string }) => text),
    ["of one", "of one"],
  );
  const { items } = (await read("/api/v1/invocations")).json;
  assert.equal(items.length, 2);
  assert.equal((await read(`/api/v1/invocations/${items[0].id}`)).status, 200);
  assert.equal((await read("/api/v1/invocations?project=default")).status, 404);
  assert.equal((await server.api("GET", `/api/v1/invocations/${items[0].id}`)).status, 404);

  await server.stop();
  await assert.rejects(
    server.start(),
    /projects default, one have functions on the driver process/,
  );
});
