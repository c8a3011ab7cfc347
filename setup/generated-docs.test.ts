import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { generatedDocs } from "./generated-docs.ts";

const root = join(import.meta.dirname, "..");

for (const [path, text] of generatedDocs()) {
  test(`${path} is what the sources say (npm run fix writes it)`, () => {
    assert.equal(readFileSync(join(root, path), "utf8"), text);
  });
}
