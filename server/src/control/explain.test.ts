import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CreateFunction, PatchFunction } from "@isola/api/functions";
import { Invoke } from "@isola/api/invocations";
import { CreateKey } from "@isola/api/keys";
import fc from "fast-check";
import Value from "typebox/value";
import { type Schema, explain } from "@isola/api/explain";

describe("explain", () => {
  test("tells every problem at once, by place, in words", () => {
    const body = {
      name: "Hello",
      runtime: 5,
      memoryMiB: 64,
      timeoutMs: "30",
      disk: "large",
      route: { path: "/a", methods: ["GET", "FETCH"] },
      env: { A: 1 },
      code: { files: {} },
    };
    assert.deepEqual(explain(CreateFunction as Schema, body), [
      { path: "name", expected: "text matching ^[a-z][a-z0-9-]{0,62}$", given: '"Hello"' },
      { path: "runtime", expected: "text of at most 64 characters", given: "5" },
      {
        path: "route.methods[1]",
        expected: "one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        given: '"FETCH"',
      },
      { path: "memoryMiB", expected: "integer from 128 to 10240", given: "64" },
      { path: "timeoutMs", expected: "integer from 1 to 900000", given: '"30"' },
      { path: "env.A", expected: "text", given: "a number" },
      {
        path: "disk",
        expected: `one of the members ${Object.keys(CreateFunction.properties).join(", ")}`,
        given: '"large"',
      },
    ]);
  });

  test("never shows a value of the environment or code", () => {
    const body = { name: "a", runtime: "nodejs", env: { TOKEN: ["s3cret"] }, code: "s3cret" };
    const details = explain(CreateFunction as Schema, body);
    assert.deepEqual(details.map(({ path }) => path).toSorted(), ["code", "env.TOKEN"]);
    assert.doesNotMatch(JSON.stringify(details), /s3cret/);
  });

  test("names what is missing", () => {
    assert.deepEqual(explain(CreateKey as Schema, { name: "ci" }), [
      { path: "scopes", expected: "array from 1 to 4 items", given: "nothing" },
    ]);
    assert.deepEqual(explain(CreateKey as Schema, undefined), [
      { path: "body", expected: "object", given: "nothing" },
    ]);
  });

  test("finds something to say exactly where a schema refuses, for any JSON", () => {
    const schemas = [CreateFunction, PatchFunction, CreateKey, Invoke];
    const keys = schemas.flatMap((schema) => Object.keys(schema.properties));
    const near = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(fc.oneof(near, fc.jsonValue()), fc.constantFrom(...schemas), (value, schema) => {
        if (Value.Check(schema, value)) return;
        const details = explain(schema as Schema, value);
        assert.ok(details.length > 0 && details.length <= 101);
        for (const { path, expected, given } of details)
          assert.ok(path !== "" && expected !== "" && given.length <= 200);
      }),
    );
  });
});
