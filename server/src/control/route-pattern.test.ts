import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import findMyWay from "find-my-way";
import type { Route } from "../domain/function.ts";
import { matchesPath, methodsOf, routePathProblem, routesConflict } from "./route-pattern.ts";

const segment = fc.constantFrom("a", "b", ":x", ":y");
const pattern = fc
  .tuple(fc.array(segment, { maxLength: 3 }), fc.boolean())
  .map(([segments, hasRest]) => `/${[...segments, ...(hasRest ? ["*"] : [])].join("/")}`)
  .filter((path) => routePathProblem(path) === null);
const route: fc.Arbitrary<Route> = fc.record({
  path: pattern,
  methods: fc.subarray(["GET", "HEAD", "POST"]),
});

/** Every path of up to four segments over a, b, something else, and nothing. */
const paths = (() => {
  const found: string[] = [];
  const grow = (path: string, depth: number) => {
    for (const next of ["a", "b", "z", ""]) {
      found.push(`${path}/${next}`);
      if (depth > 1) grow(`${path}/${next}`, depth - 1);
    }
  };
  grow("", 4);
  return found;
})();

function takenBy(path: string): Set<string> {
  const router = findMyWay();
  router.on("GET", path, () => {});
  return new Set(paths.filter((one) => router.find("GET", one) !== null));
}

describe("route patterns", () => {
  test("match what the gateway's router matches", () => {
    fc.assert(
      fc.property(pattern, (path) => {
        const taken = takenBy(path);
        for (const one of paths) assert.equal(matchesPath(path, one), taken.has(one), one);
      }),
    );
  });

  test("conflict when a request fits both and neither is a true part of the other", () => {
    fc.assert(
      fc.property(route, route, (a, b) => {
        const [left, right] = [takenBy(a.path), takenBy(b.path)];
        const isMethodShared = methodsOf(a).some((method) => methodsOf(b).includes(method));
        const isPathShared = !left.isDisjointFrom(right);
        const isOrdered = left.isSubsetOf(right) !== right.isSubsetOf(left);
        const expected = isMethodShared && isPathShared && !isOrdered;
        assert.equal(routesConflict(a, b), expected, `${a.path} ${b.path}`);
        assert.equal(routesConflict(b, a), expected, "both ways");
      }),
      { numRuns: 300 },
    );
  });

  test("of the same shape conflict whatever their names", () => {
    const a = { methods: [], path: "/users/:id" };
    assert.equal(routesConflict(a, { methods: ["GET"], path: "/users/:name" }), true);
    assert.equal(routesConflict(a, { methods: [], path: "/users/me" }), false);
    assert.equal(routesConflict(a, { methods: [], path: "/users/*" }), false);
    assert.equal(routesConflict(a, { methods: [], path: "/:x/me" }), true);
  });

  test("with GET answer HEAD as well", () => {
    const get = { methods: ["GET"], path: "/a" };
    assert.equal(routesConflict(get, { methods: ["HEAD"], path: "/a" }), true);
    assert.equal(routesConflict(get, { methods: ["POST"], path: "/a" }), false);
  });

  for (const path of ["/", "/a", "/a/:id/b", "/files/*", "/*", "/.well-known/x", "/a.b~c"])
    test(`${path} is taken`, () => assert.equal(routePathProblem(path), null));

  for (const path of [
    ...[
      "",
      "a",
      "//",
      "/a//b",
      "/a/",
      "/a/../b",
      "/.",
      "/a%2fb",
      "/*/a",
      "/a*",
      "/:",
      "/:1",
      "/:a/:a",
    ],
    ...["/a?b", "/a#b", "/(a)", "/:a(b)", "/é", "/a b", "/a\\b", `/${"a".repeat(512)}`],
  ])
    test(`${path.slice(0, 20)} is refused`, () => assert.notEqual(routePathProblem(path), null));
});
