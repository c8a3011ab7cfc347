import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import findMyWay, { type HTTPMethod } from "find-my-way";
import type { Route } from "../domain/function.ts";
import { Router } from "./router.ts";

const segment = fc.constantFrom("a", "b", "a.b", ":x", ":y");
const route: fc.Arbitrary<Route> = fc.record({
  path: fc
    .tuple(fc.uniqueArray(segment, { maxLength: 3 }), fc.boolean())
    .map(([segments, hasRest]) => `/${[...segments, ...(hasRest ? ["*"] : [])].join("/")}`),
  methods: fc.subarray(["GET", "POST"], { minLength: 1 }),
});
const path = fc
  .array(fc.constantFrom("a", "b", "a.b", "%61", "z", "", "%25", "c%2Bd", "%C3%A9"), {
    minLength: 1,
    maxLength: 5,
  })
  .map((segments) => `/${segments.join("/")}`);

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

  test("finds what another router of the same rules finds, also after routes were removed", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(route, fc.boolean()), { maxLength: 8 }),
        fc.array(path, { minLength: 1, maxLength: 8 }),
        (routes, asked) => {
          const router = new Router<object>();
          const kept = new Map<string, object>();
          for (const [one] of routes) router.add(one, one);
          for (const [one, isRemoved] of routes) if (isRemoved) router.remove(one, one);
          // The newest first: of two that are alike the newer answers.
          const other = findMyWay({ caseSensitive: true, maxParamLength: 16_384 });
          for (const [one, isRemoved] of routes.toReversed())
            for (const method of isRemoved ? [] : one.methods) {
              const shape = `${method} ${one.path.replaceAll(/:[xy]/g, ":")}`;
              if (kept.has(shape)) continue;
              kept.set(shape, one);
              other.on(method as HTTPMethod, one.path, () => {}, one);
            }
          for (const method of ["GET", "POST"])
            for (const one of asked) {
              const found = router.find(method, one);
              const expected = other.find(method as HTTPMethod, one);
              assert.equal(found?.target, expected?.store, `${method} ${one}`);
              assert.deepEqual({ ...found?.params }, { ...expected?.params });
            }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
