import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { workplace } from "../../test/run-isola.ts";

const reference = "root-0123456789abcdef";
const built = { type: "image", runtime: "nodejs26", reference, id: "sha256:1", wasBuilt: true };
const progress = { type: "progress", runtime: "nodejs26", text: "making the root image" };

describe("isola vm", { timeout: 30_000 }, () => {
  test("build shows the progress beside the result", async (t) => {
    const { api, isola } = await workplace(t);
    api.buildEvents = [progress, built, { type: "done" }];
    const shown = await isola("vm", "build", "nodejs", "--fresh");
    assert.equal(shown.stderr, "nodejs26: making the root image\n");
    assert.equal(shown.stdout, `nodejs26: ${reference} built\n`);
    assert.deepEqual(api.built, { runtime: "nodejs", fresh: true });
    assert.equal(api.calls.at(-1), "POST /api/v1/vm");
  });

  test("list tells of each part its state and size, prune what is gone", async (t) => {
    const { api, isola } = await workplace(t);
    const of = { kind: "root", text: "nodejs26 26.10.0", madeAt: null };
    api.images = [
      { ...of, name: reference, state: "current", bytes: 157_000_000 },
      { ...of, kind: "tools", name: null, state: "missing", bytes: null },
    ];
    const listed = await isola("vm");
    const lines = [
      `root of nodejs26 26.10.0: ${reference} current, 157 MB`,
      "tools of nodejs26 26.10.0: missing",
    ];
    assert.equal(listed.stdout, `${lines.join("\n")}\n`);
    assert.equal((await isola("vm", "prune")).stdout, `removed ${reference}\n`);
  });

  test("build --kernel asks for a kernel, prune --kernel removes it", async (t) => {
    const { api, isola } = await workplace(t);
    const kernel = "kernel-0123456789abcdef";
    api.buildEvents = [{ ...built, runtime: "kernel", reference: kernel }, { type: "done" }];
    assert.equal((await isola("vm", "build", "--kernel")).stdout, `kernel: ${kernel} built\n`);
    assert.deepEqual(api.built, { kernel: true });
    assert.equal((await isola("vm", "prune", "--kernel")).stdout, `removed ${kernel}\n`);
    assert.equal(api.calls.at(-1), "DELETE /api/v1/vm/kernel");
    assert.match((await isola("vm", "list", "--kernel")).stderr, /vm list takes no --kernel/);
  });

  test("takes no other action, and options with build only", async (t) => {
    const { isola } = await workplace(t);
    assert.match((await isola("vm", "sweep")).stderr, /vm takes list, build or prune/);
    assert.match((await isola("vm", "list", "nodejs")).stderr, /vm list takes no arguments/);
    assert.match((await isola("vm", "prune", "--fresh")).stderr, /vm prune takes no --fresh/);
    assert.match(
      (await isola("vm", "--fresh")).stderr,
      /list takes no --fresh; isola vm build does/,
    );
  });
});
