import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { routePathProblem } from "./route-pattern.ts";

describe("the path of a route", () => {
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
