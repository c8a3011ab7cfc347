import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sourceFiles } from "../../setup/source-files.mjs";
import { breachesIn, breachesOf } from "./import-levels.ts";

const root = join(import.meta.dirname, "../..");

function rulesOf(path: string, text: string): string[] {
  return breachesIn(path, text).map(({ rule }) => rule);
}

describe("the architecture", () => {
  test("holds: every file imports lower levels and permitted packages only", () => {
    const paths = sourceFiles(root, [".ts", ".tsx", ".mjs"]);
    assert.ok(paths.length > 20, "the sources were found");
    const lines = breachesOf(root, paths).map(({ place, rule }) => `${place}: ${rule}`);
    assert.equal(lines.join("\n"), "");
  });

  test("check sees a neighbour, a higher level, an unknown folder and a foreign package", () => {
    const neighbour = 'import { x } from "../gateway/x.ts";';
    assert.match(rulesOf("server/src/control/a.ts", neighbour)[0] ?? "", /neighbour/);
    const higher = 'import type {\n  X,\n} from "../../pool/x.ts";';
    assert.match(rulesOf("server/src/drivers/process/a.ts", higher)[0] ?? "", /higher level/);
    const unknown = 'export * from "../drawer/x.ts";';
    assert.match(rulesOf("server/src/pool/a.ts", unknown)[0] ?? "", /drawer has no level/);
    const lazily = 'await import("../../server/src/config.ts");';
    assert.match(rulesOf("cli/src/a.ts", lazily)[0] ?? "", /cli\/ imports api\//);
    const named = 'import { x } from "@isola/server/src/x.ts";';
    assert.match(rulesOf("api/src/a.ts", named)[0] ?? "", /api\/ imports no other package/);
  });

  test("check names file and line and lets permitted imports pass", () => {
    const text = '// import "../gateway/x.ts"\nimport { a } from "./a.ts";\nimport "../main.ts";\n';
    assert.deepEqual(
      breachesIn("server/src/domain/b.ts", text).map(({ place }) => place),
      ["server/src/domain/b.ts:3"],
    );
    const permitted = 'import "@isola/protocol/frames"; import "../domain/x.ts"; import "node:fs";';
    assert.deepEqual(rulesOf("server/src/pool/a.ts", permitted), []);
    assert.deepEqual(rulesOf("server/src/pool/a.test.ts", 'import "../gateway/x.ts";'), []);
  });
});
