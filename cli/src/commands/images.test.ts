import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { workplace } from "../../test/run-isola.ts";

const reference = "isola/node:26.10.0-0123456789ab";
const built = { type: "image", runtime: "nodejs26", reference, id: "sha256:1", wasBuilt: true };
const progress = { type: "progress", runtime: "nodejs26", text: "Step 1/9 : \u001b[31mFROM base" };

describe("isola images", { timeout: 30_000 }, () => {
  test("build shows the progress beside the result, which is the images", async (t) => {
    const { api, isola } = await workplace(t);
    api.buildEvents = [progress, built, { type: "done" }];
    const shown = await isola("images", "build");
    assert.equal(shown.exitCode, 0);
    assert.equal(shown.stdout, `nodejs26: ${reference} built\n`);
    assert.equal(shown.stderr, "nodejs26: Step 1/9 : \\x1b[31mFROM base\n");
    assert.deepEqual(api.built, {});
    const json = await isola("images", "build", "nodejs26", "--offline", "--fresh", "--json");
    assert.deepEqual(JSON.parse(json.stdout), {
      items: [{ runtime: "nodejs26", reference, id: "sha256:1", wasBuilt: true }],
    });
    assert.equal(json.stderr, "");
    assert.deepEqual(api.built, { runtime: "nodejs26", offline: true, fresh: true });
  });

  test("build that fails exits 1 with the reason, one that is cut off too", async (t) => {
    const { api, isola } = await workplace(t);
    const error = {
      code: "driver_unavailable",
      message: "no space left",
      requestId: "r",
      details: [],
    };
    api.buildEvents = [progress, { type: "error", error }];
    const failed = await isola("images", "build");
    assert.equal(failed.exitCode, 1);
    assert.match(failed.stderr, /\nisola: no space left\n$/);
    assert.equal(failed.stdout, "");
    for (const events of [
      [progress, built],
      [progress, "half a li"],
    ]) {
      api.buildEvents = events;
      const cut = await isola("images", "build");
      assert.equal(cut.exitCode, 3);
      assert.match(cut.stderr, /does not answer \(/);
    }
  });

  test("list says what is there and what is missing", async (t) => {
    const { api, isola } = await workplace(t);
    assert.equal((await isola("images")).stdout, "No images.\n");
    const base = "node:26-slim";
    const createdAt = "2026-01-01T00:00:00.000Z";
    api.images = [
      { ...built, state: "current", bytes: 164_400_000, createdAt, base },
      { ...built, runtime: "python3.11", state: "missing", id: null, bytes: null, base: null },
      { ...built, reference: null, state: "outdated", bytes: 1_000_000, createdAt, base },
    ];
    const { exitCode, stdout } = await isola("images", "list");
    assert.equal(exitCode, 0);
    assert.deepEqual(stdout.trimEnd().split("\n"), [
      `nodejs26: ${reference} current, 164 MB, of node:26-slim`,
      `python3.11: ${reference} missing`,
      "nodejs26: sha256:1 outdated, 1 MB, of node:26-slim",
    ]);
    const json = await isola("images", "list", "--json");
    assert.equal((JSON.parse(json.stdout) as { items: unknown[] }).items.length, 3);
  });

  test("prune says what was removed, and why the rest was kept", async (t) => {
    const { isola } = await workplace(t);
    const { exitCode, stdout } = await isola("images", "prune");
    assert.equal(exitCode, 0);
    assert.equal(stdout, "removed isola/node:1-a\nkept isola/node:2-b: container 0123 uses it\n");
  });

  test("takes no other action, and flags of a build with nothing else", async (t) => {
    const { api, isola } = await workplace(t);
    for (const argv of [["remove"], ["list", "nodejs"], ["prune", "--offline"], ["--fresh"]])
      assert.equal((await isola("images", ...argv)).exitCode, 2, argv.join(" "));
    assert.deepEqual(api.calls, []);
  });
});
