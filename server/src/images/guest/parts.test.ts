import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { IsolaError } from "../../errors.ts";
import { Parts } from "./parts.ts";

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "isola-parts-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "vm");
}

const filled = (content: string) => async (folder: string) => {
  await writeFile(join(folder, "image.erofs"), content);
  return "nodejs26";
};

describe("the parts of guests", () => {
  test("are named for what is in them, and found by what they were made of", async (t) => {
    const parts = new Parts(await emptyFolder(t));
    assert.deepEqual(await parts.list(), []);
    assert.equal(await parts.find("root", "inputs"), null);
    const made = await parts.make("root", "inputs", filled("content"));
    assert.match(made.name, /^root-[0-9a-f]{16}$/);
    assert.equal(made.text, "nodejs26");
    assert.deepEqual(await parts.find("root", "inputs"), made);
    assert.equal(await parts.find("root", "others"), null);
    assert.equal(await parts.find("tools", "inputs"), null);
    const same = await parts.make("root", "other inputs", filled("content"));
    assert.equal(same.name, made.name);
  });

  test("that were changed or cut short are not found, and made anew", async (t) => {
    const folder = await emptyFolder(t);
    const made = await new Parts(folder).make("root", "inputs", filled("content"));
    const path = join(made.folder, "image.erofs");
    for (const damage of [
      () => writeFile(path, "CONTENT"),
      () => truncate(path, 3),
      () => rm(path),
      () => writeFile(join(made.folder, "part.json"), "{"),
    ]) {
      await damage();
      const parts = new Parts(folder);
      assert.equal(await parts.find("root", "inputs"), null, String(damage));
      await parts.make("root", "inputs", filled("content"));
      assert.notEqual(await new Parts(folder).find("root", "inputs"), null);
    }
  });

  test("of which the making failed leave nothing", async (t) => {
    const folder = await emptyFolder(t);
    const parts = new Parts(folder);
    const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    const failing = async (at: string) => {
      await writeFile(join(at, "image.erofs"), "half");
      throw full;
    };
    await assert.rejects(parts.make("root", "inputs", failing), (error) => {
      assert(error instanceof IsolaError && error.code === "driver_unavailable");
      assert.match(error.message, /a root cannot be kept in .*vm: ENOSPC/);
      return true;
    });
    assert.deepEqual(await readdir(folder), []);
  });

  test("that are kept stay, all others and what was left unfinished long ago go", async (t) => {
    const folder = await emptyFolder(t);
    const parts = new Parts(folder);
    const [kept, old] = [
      await parts.make("root", "new", filled("new")),
      await parts.make("root", "old", filled("old")),
    ];
    for (const name of [".unfinished-old", ".unfinished-now", "of-somebody-else"])
      await mkdir(join(folder, name));
    await utimes(join(folder, ".unfinished-old"), 1, 1);
    assert.deepEqual(await parts.removeAllBut(new Set([kept.name])), [old.name]);
    const left = [".unfinished-now", "of-somebody-else", kept.name];
    assert.deepEqual((await readdir(folder)).sort(), left.sort());
  });
});
