import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import findMyWay from "find-my-way";
import type { Route } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import { type Claim, RouteBook } from "./route-book.ts";
import { routePathProblem } from "./route-pattern.ts";

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

const known = new Map<string, Set<string>>();

/** What another router, of the same rules, leads to this path. */
function takenBy(path: string): Set<string> {
  const before = known.get(path);
  if (before !== undefined) return before;
  const router = findMyWay();
  router.on("GET", path, () => {});
  const taken = new Set(paths.filter((one) => router.find("GET", one) !== null));
  known.set(path, taken);
  return taken;
}

function conflictsByPaths(a: Route, b: Route): boolean {
  const [left, right] = [takenBy(a.path), takenBy(b.path)];
  const all = (methods: string[]) =>
    new Set(methods.length === 0 ? ["GET", "HEAD", "POST"] : methods).union(
      new Set(methods.includes("GET") ? ["HEAD"] : []),
    );
  if (all(a.methods).isDisjointFrom(all(b.methods)) || left.isDisjointFrom(right)) return false;
  return left.isSubsetOf(right) === right.isSubsetOf(left);
}

function bookOf(...claims: Claim[]): RouteBook {
  const book = new RouteBook();
  for (const claim of claims) book.put(claim);
  return book;
}

function refusal(book: RouteBook, claim: Claim): string | null {
  try {
    book.check(claim);
    return null;
  } catch (error) {
    assert.ok(error instanceof IsolaError && error.code === "route_conflict");
    return error.message;
  }
}

const claimOf = (name: string, path: string | null, methods: string[] = []): Claim => ({
  name,
  route: path === null ? null : { methods, path },
});

describe("the book of routes", () => {
  test("refuses a route when a request fits it and another and neither is a true part of the other", () => {
    fc.assert(
      fc.property(fc.array(route, { maxLength: 6 }), route, (others, asked) => {
        const book = bookOf(...others.map((one, at) => ({ name: `other-${at}`, route: one })));
        const isRefused = refusal(book, { name: "new", route: asked }) !== null;
        const expected = others.some((other) => conflictsByPaths(asked, other));
        assert.equal(isRefused, expected, JSON.stringify([asked, others]));
      }),
      { numRuns: 3000 },
    );
  });

  test("knows only what was put last of each function, and nothing of deleted ones", () => {
    const step = fc.tuple(fc.nat({ max: 3 }), fc.option(fc.option(route)));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), route, (steps, asked) => {
        const book = bookOf();
        const left = new Map<string, Route | null>();
        for (const [at, next] of steps) {
          const name = `fn-${at}`;
          if (next === null) {
            book.delete(name);
            left.delete(name);
          } else {
            book.put({ name, route: next });
            left.set(name, next);
          }
        }
        const fresh = bookOf(...[...left].map(([name, one]) => ({ name, route: one })));
        const claim = { name: "fn-0", route: asked };
        assert.equal(refusal(book, claim) === null, refusal(fresh, claim) === null);
      }),
      { numRuns: 500 },
    );
  });

  test("names both sides of a conflict", () => {
    const book = bookOf(claimOf("one", "/users/:id", ["GET"]));
    assert.match(
      refusal(book, claimOf("two", "/users/:name")) ?? "",
      /^\/users\/:name of two and GET \/users\/:id of one answer the same requests/,
    );
    assert.equal(refusal(book, claimOf("two", "/users/me")), null);
    assert.equal(refusal(book, claimOf("two", "/users/*")), null);
    assert.equal(refusal(book, claimOf("two", "/users/:name", ["POST"])), null);
    assert.equal(refusal(book, claimOf("one", "/users/:name")), null, "its own is no rival");
  });

  test("keeps the default route of a function without another from explicit ones, whichever comes first", () => {
    const plain = bookOf(claimOf("hello", null));
    for (const path of ["/hello", "/:any", "/*"])
      assert.match(refusal(plain, claimOf("other", path)) ?? "", /would take \/hello/, path);
    assert.equal(refusal(plain, claimOf("hello", "/hello")), null);
    assert.equal(refusal(plain, claimOf("other", "/hello/more")), null);
    for (const path of ["/hello", "/:any", "/*"])
      assert.match(
        refusal(bookOf(claimOf("other", path)), claimOf("hello", null)) ?? "",
        /\/hello, the default route of hello, is taken by/,
        path,
      );
    assert.equal(refusal(bookOf(claimOf("other", "/hello/:x")), claimOf("hello", null)), null);
  });
});
