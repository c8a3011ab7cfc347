import assert from "node:assert/strict";
import { test } from "node:test";
import { type ControlFixture, openControlPlane } from "./control-plane.fixture.ts";

const code = { files: { "index.mjs": "export const handler = () => 1" } };
const functions = "/api/v1/functions";

function create(plane: ControlFixture, name: string, path: string | null) {
  const body = { name, runtime: "nodejs", code, route: path === null ? null : { path } };
  return plane.call("POST", functions, { body });
}

test("a route is taken by the live revision alone: a change, a rollback and a delete free it, and take another", async (t) => {
  const plane = await openControlPlane(t);
  const statusOf = async (call: Promise<{ statusCode: number }>) => (await call).statusCode;
  const patch = (name: string, path: string) =>
    plane.call("PATCH", `${functions}/${name}`, { body: { route: { path } } });
  const rollback = (name: string, revision: number) =>
    plane.call("POST", `${functions}/${name}/rollback`, { body: { revision } });
  const remove = (name: string) => plane.call("DELETE", `${functions}/${name}`);

  assert.equal(await statusOf(create(plane, "one", "/x")), 201);
  assert.equal(await statusOf(create(plane, "two", "/x")), 409);
  assert.equal(await statusOf(patch("one", "/y")), 200);
  assert.equal(await statusOf(create(plane, "two", "/x")), 201);
  assert.equal(await statusOf(rollback("one", 1)), 409);
  assert.equal(await statusOf(remove("two")), 200);
  assert.equal(await statusOf(rollback("one", 1)), 200);
  assert.equal(await statusOf(create(plane, "two", "/x")), 409);
  assert.equal(await statusOf(create(plane, "two", "/y")), 201);
  assert.equal(await statusOf(rollback("one", 2)), 409);
  assert.equal(await statusOf(remove("one")), 200);
  assert.equal(await statusOf(patch("two", "/x")), 200);
});
