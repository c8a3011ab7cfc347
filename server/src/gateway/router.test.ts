import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Router } from "./router.ts";

describe("the router", () => {
  test("prefers literal segments over parameters over the wildcard", () => {
    const router = new Router<string>();
    router.add({ methods: ["GET"], path: "/files/*" }, "wild");
    router.add({ methods: ["GET"], path: "/files/:id" }, "param");
    router.add({ methods: ["GET"], path: "/files/new" }, "literal");
    assert.equal(router.find("GET", "/files/new")?.target, "literal");
    assert.deepEqual({ ...router.find("GET", "/files/a%20b")?.params }, { id: "a b" });
    assert.deepEqual({ ...router.find("GET", "/files/a/b")?.params }, { "*": "a/b" });
    assert.equal(router.find("GET", "/other"), null);
  });

  test("answers HEAD where it answers GET, and names the methods of a path", () => {
    const router = new Router<string>();
    router.add({ methods: ["GET", "POST"], path: "/a" }, "a");
    assert.equal(router.find("HEAD", "/a")?.target, "a");
    assert.equal(router.find("DELETE", "/a"), null);
    assert.deepEqual(router.methodsFor("/a"), ["GET", "HEAD", "POST"]);
    assert.deepEqual(router.methodsFor("/b"), []);
  });

  test("falls back to a less specific route when the more specific one is removed", () => {
    const router = new Router<string>();
    router.add({ methods: [], path: "/a/*" }, "wild");
    router.add({ methods: [], path: "/a/:id" }, "param");
    router.remove({ methods: [], path: "/a/:id" }, "param");
    assert.equal(router.find("PUT", "/a/1")?.target, "wild");
    router.add({ methods: [], path: "/a/:id" }, "again");
    assert.equal(router.find("PUT", "/a/1")?.target, "again");
  });

  test("does not remove a route that another target has taken over", () => {
    const router = new Router<string>();
    router.add({ methods: ["GET"], path: "/a" }, "old");
    router.add({ methods: ["GET"], path: "/a" }, "new");
    router.remove({ methods: ["GET"], path: "/a" }, "old");
    assert.equal(router.find("GET", "/a")?.target, "new");
  });
});
