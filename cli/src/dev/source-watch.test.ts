import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import type { Failure } from "../command.ts";
import { SourceWatch } from "./source-watch.ts";

/** A watch on `code`, and one on a marker, which is told behind what was done before. */
function workplace(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), "isola-watch-"));
  const at = (path: string) => join(dir, path);
  const write = (path: string, text = "x") => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  let changes = 0;
  const onProblem = (problem: Failure) => assert.fail(problem);
  const watch = new SourceWatch(() => {
    changes += 1;
  }, onProblem);
  let onMark = () => {};
  const marker = new SourceWatch(() => onMark(), onProblem);
  mkdirSync(at("code"));
  write("marker", "0");
  watch.look({ folders: [at("code")], files: [at("isola.yaml")] });
  marker.look({ folders: [], files: [at("marker")] });
  t.after(() => {
    watch.close();
    marker.close();
    rmSync(dir, { recursive: true });
  });
  return {
    ...{ at, write, watch },
    /** Whether a change was told of what `act` does. */
    async tells(act: () => void): Promise<boolean> {
      changes = 0;
      const marked = new Promise<void>((resolve) => {
        onMark = resolve;
      });
      act();
      write("marker", "1");
      await marked;
      return changes > 0;
    },
  };
}

describe("a watch on sources", () => {
  test("tells of files that are written, replaced, made and removed, in folders that appear too", async (t) => {
    const { at, write, tells } = workplace(t);
    assert.equal(await tells(() => write("code/index.mjs")), true);
    const replaced = () => {
      write("new.mjs");
      renameSync(at("new.mjs"), at("code/index.mjs"));
    };
    assert.equal(await tells(replaced), true);
    assert.equal(await tells(() => mkdirSync(at("code/lib"))), true);
    assert.equal(await tells(() => write("code/lib/a.mjs")), true);
    assert.equal(await tells(() => renameSync(at("code/lib"), at("code/other"))), true);
    assert.equal(await tells(() => write("code/other/a.mjs", "y")), true);
    assert.equal(await tells(() => rmSync(at("code/other"), { recursive: true })), true);
    assert.equal(await tells(() => write("code/other/b.mjs")), true);
  });

  test("goes on with a folder of code that went and came back", async (t) => {
    const { at, write, tells } = workplace(t);
    assert.equal(await tells(() => rmSync(at("code"), { recursive: true })), true);
    assert.equal(await tells(() => mkdirSync(at("code"))), true);
    assert.equal(await tells(() => write("code/lib/a.mjs")), true);
    assert.equal(await tells(() => write("code/lib/a.mjs", "y")), true);
    const replaced = () => {
      renameSync(at("code"), at("old"));
      mkdirSync(at("code"));
    };
    assert.equal(await tells(replaced), true);
    assert.equal(await tells(() => write("code/b.mjs")), true);
  });

  test("tells of a single file that did not exist and is replaced, and of no neighbour", async (t) => {
    const { at, write, tells } = workplace(t);
    assert.equal(await tells(() => write("neighbour.yaml")), false);
    assert.equal(await tells(() => write("isola.yaml")), true);
    assert.equal(await tells(() => renameSync(at("neighbour.yaml"), at("isola.yaml"))), true);
  });

  test("looks at nothing that is no part of the package, as .isolaignore says at that moment", async (t) => {
    const { write, tells } = workplace(t);
    for (const path of [
      ...["code/.git/HEAD", "code/node_modules/a/index.js", "code/__pycache__/app.pyc"],
      ...["code/.index.mjs.swp", "code/index.mjs~", "code/.isola/data/x", "code/.DS_Store"],
    ]) {
      assert.equal(await tells(() => write(path)), false, path);
    }
    assert.equal(await tells(() => write("code/out/app.log")), true);
    assert.equal(await tells(() => write("code/.isolaignore", "out\n*.secret\n")), true);
    assert.equal(await tells(() => write("code/out/app.log", "y")), false);
    assert.equal(await tells(() => write("code/a.secret")), false);
    assert.equal(await tells(() => write("code/a.public")), true);
  });

  test("looks at no folder any more that is not named", async (t) => {
    const { at, write, watch, tells } = workplace(t);
    watch.look({ folders: [at("other")], files: [] });
    assert.equal(await tells(() => write("code/index.mjs")), false);
    assert.equal(await tells(() => write("isola.yaml")), false);
  });
});
