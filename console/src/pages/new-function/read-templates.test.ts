import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readPackageFiles } from "../../../../cli/src/deploy/package-files.ts";
import kinds from "../../../../templates/order.json" with { type: "json" };
import { languages, readTemplates } from "./read-templates.ts";

const folder = join(import.meta.dirname, "../../../../templates");

function textsOfAll(): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.parentPath !== folder)
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((path) => [path, readFileSync(path, "utf8")]));
}

test("a template deployed from the console is the package that the command line makes of its folder", () => {
  const templates = readTemplates(textsOfAll(), kinds);
  assert.ok(templates.length > 0);
  for (const { id, files } of templates) {
    const packaged = readPackageFiles(join(folder, id));
    assert.deepEqual(
      files,
      Object.fromEntries(packaged.map(({ path, bytes }) => [path, bytes.toString("utf8")])),
      id,
    );
  }
});

test("templates are ordered by language and kind, every kind is in the order, and a title is there once in a language", () => {
  const templates = readTemplates(textsOfAll(), kinds);
  assert.deepEqual([...new Set(templates.map(({ language }) => language))], [...languages]);
  for (const language of languages) {
    const ofIt = templates.filter((each) => each.language === language);
    const places = ofIt.map(({ kind }) => kinds.indexOf(kind));
    assert.deepEqual(
      places,
      places.filter((at) => at >= 0).sort((a, b) => a - b),
      language,
    );
    assert.equal(new Set(ofIt.map(({ title }) => title)).size, ofIt.length, language);
  }
});
