import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { SourcePlaces } from "./source-places.ts";

function placesOf(t: TestContext, files: readonly string[]): SourcePlaces {
  const dir = mkdtempSync(join(tmpdir(), "isola-places-"));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const file of [...files, "../outside.mjs"]) {
    const path = join(dir, "fn", file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
  }
  return new SourcePlaces(join(dir, "fn"), dir);
}

describe("places in the text of a function", () => {
  test("of Node.js are those of its folder, with line and column", (t) => {
    const places = placesOf(t, ["index.ts", "lib/a b.ts"]);
    const shown = (text: string) => places.line(text);
    assert.equal(shown("    at f (file:///var/task/index.ts:5:10)"), "    at f (fn/index.ts:5:10)");
    assert.equal(shown("    at /var/task/index.ts:5:10"), "    at fn/index.ts:5:10");
    assert.equal(shown("/var/task/index.ts:4"), "fn/index.ts:4");
    const spaced = "    at async file:///var/task/lib/a%20b.ts:1:2";
    assert.equal(shown(spaced), "    at async fn/lib/a b.ts:1:2");
  });

  test("of Python are those of its folder, as a terminal makes links of them", (t) => {
    const places = placesOf(t, ["app.py", "with space/b.py"]);
    const line = '  File "/var/task/app.py", line 5, in handler';
    assert.equal(places.line(line), "  fn/app.py:5, in handler");
    const spaced = 'File "/var/task/with space/b.py", line 7';
    assert.equal(places.line(spaced), "fn/with space/b.py:7");
  });

  test("that the folder does not hold stay as they are", (t) => {
    const places = placesOf(t, ["index.mjs"]);
    for (const text of [
      ...["at f (file:///var/task/node_modules/x/index.js:1:1)", "no place at all"],
      ...["/var/task/../outside.mjs:1:1", 'File "/var/task/../outside.mjs", line 1'],
      ...["file:///var/task/%zz.mjs:1", "/var/task/"],
    ])
      assert.equal(places.line(text), text);
  });

  test("lead to where an error came from: the first frame of Node.js, the last of Python", (t) => {
    const places = placesOf(t, ["index.mjs", "lib.mjs", "app.py"]);
    const node = [
      "TypeError: bad",
      "    at node:internal/modules/esm/loader:639:32",
      "    at boom (file:///var/task/lib.mjs:2:9)",
      "    at handler (file:///var/task/index.mjs:5:10)",
      "    at #run (file:///opt/isola/runtimes/node/lambda.mjs:59:27)",
      "    at AsyncLocalStorage.run (node:internal/async_local_storage/x:66:14)",
    ].join("\n");
    assert.deepEqual(places.placeIn(node), { file: "fn/lib.mjs", line: 2, column: 9 });
    assert.deepEqual(places.stack(node), [
      ...["TypeError: bad", "    at boom (fn/lib.mjs:2:9)", "    at handler (fn/index.mjs:5:10)"],
    ]);
    const python = [
      '  File "/var/task/app.py", line 5, in handler',
      '  File "/var/task/app.py", line 3, in inner',
      '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode',
    ].join("\n");
    assert.deepEqual(places.placeIn(python), { file: "fn/app.py", line: 3, column: null });
    assert.equal(places.placeIn("Error: nowhere"), null);
  });
});
