import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RevisionSettings } from "../domain/function.ts";
import { PoolBench, makeFunction } from "../pool/testing/pool-bench.ts";
import { Admission } from "./admission.ts";
import { FunctionTable } from "./function-table.ts";

type Route = RevisionSettings["route"];

function fn(project: string, name: string, path: string | null = null) {
  const route: Route = path === null ? null : { methods: ["GET"], path };
  return makeFunction({ route }, { project, name, functionId: `${project}-${name}` });
}

function tableOf(...functions: ReturnType<typeof fn>[]): FunctionTable {
  const table = new FunctionTable(new PoolBench().pools(), new Admission(10), () => {});
  table.reset(functions, true, true);
  return table;
}

/** `project/name prefix path routeKey`, or the code of the refusal. */
function found(table: FunctionTable, path: string, method = "GET"): string {
  try {
    const to = table.find(method, path);
    const { project, name } = to.entry.fn;
    return `${project}/${name} ${to.prefix || "-"} ${to.path} ${to.routeKey}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("the paths of projects", () => {
  test("are apart: one function name and one route in three projects lead to three functions", () => {
    const all = ["default", "one", "two"].map((project) => fn(project, "hello", "/users/:id"));
    const table = tableOf(...all);
    assert.equal(found(table, "/hello/x"), "default/hello /hello /x $default");
    assert.equal(found(table, "/~one/hello/x"), "one/hello /~one/hello /x $default");
    assert.equal(found(table, "/~two/hello"), "two/hello /~two/hello / $default");
    assert.equal(found(table, "/users/7"), "default/hello - /users/7 GET /users/:id");
    assert.equal(found(table, "/~one/users/7"), "one/hello /~one /users/7 GET /users/:id");
    assert.deepEqual(table.methodsFor("/~one/users/7"), ["GET", "HEAD"]);
    assert.equal(found(table, "/~one/users/7", "POST"), "method_not_allowed");
    table.remove({ project: "one", name: "hello" });
    assert.equal(found(table, "/~one/users/7"), "route_not_found");
    assert.equal(found(table, "/~two/users/7"), "two/hello /~two /users/7 GET /users/:id");
  });

  test("are no other's, whatever routes that has, though the project does not exist", () => {
    const table = tableOf(fn("default", "all", "/*"), fn("default", "any", "/:a/:b"));
    for (const path of ["/~one", "/~one/hello", "/~", "/~/x", "/%7Eone/hello", "/~%6fne/hello"])
      assert.equal(found(table, path), "route_not_found", path);
    assert.equal(found(table, "/one/hello"), "default/any - /one/hello GET /:a/:b");
    assert.equal(found(table, "/a~one"), "default/all - /a~one GET /*");
  });

  test("are found however the mark and the name are escaped, and seen as they were written", () => {
    const table = tableOf(fn("one", "hello"), fn("one", "root", "/"));
    assert.equal(found(table, "/%7eone/hello/x"), "one/hello /%7eone/hello /x $default");
    assert.equal(found(table, "/~%6fne/hello"), "one/hello /~%6fne/hello / $default");
    assert.equal(found(table, "/~one"), "one/root /~one / GET /");
    assert.equal(found(table, "/~one/"), "one/root /~one / GET /");
    assert.equal(found(table, "/~ONE/hello"), "route_not_found");
  });

  test("of default have no prefix", () => {
    const table = tableOf(fn("default", "hello", "/x"));
    assert.equal(found(table, "/~default/hello"), "route_not_found");
    assert.equal(found(table, "/~default/x"), "route_not_found");
  });
});

test("the methods of a path that cannot be routed are told, not thrown at", () => {
  const table = tableOf(fn("default", "hello", "/a/:b"));
  for (const path of ["/%zz", "/~%zz/x", "/a/%e0%a4", "/%2f"])
    assert.equal(table.methodsFor(path).length, 7, path);
});
