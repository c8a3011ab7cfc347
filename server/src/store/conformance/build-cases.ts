import assert from "node:assert/strict";
import { test } from "node:test";
import type { Layer } from "../../domain/function.ts";
import type { BuildRow } from "../store.ts";
import { type OpenStore, create, newRevision, openFor } from "./fixture.ts";

const project = "default";

function layerOf(letter: string, bytes = 100): Layer {
  const artifact = { digest: letter.repeat(64), bytes, entries: 3, unpackedBytes: 90 };
  return { place: "beside", artifact };
}

function buildOf(id: string, startedAt: number, functionName = "f"): BuildRow {
  const where = { project, functionName, runtime: "nodejs26", driver: "process" };
  const begun = {
    state: "running",
    isCached: false,
    message: "",
    output: [],
    endedAt: null,
  } as const;
  return { id, ...where, ...begun, output: [], startedAt };
}

export function buildCases(open: OpenStore): void {
  test("a revision keeps its layer, which comes with what is deployed and is no garbage", async (t) => {
    const { store, reopen } = await openFor(t, open);
    const { fn } = await create(store, "f");
    const layer: Layer = { ...layerOf("b"), place: "instead" };
    const { revision } = await store.addRevision(project, "f", () => newRevision({ layer }));
    assert.deepEqual(revision.layer, layer);
    const again = await reopen();
    assert.deepEqual((await again.getRevision(fn.id, 2)).layer, layer);
    assert.equal((await again.getRevision(fn.id, 1)).layer, undefined);
    assert.deepEqual((await again.deployedFunctions())[0]?.layer, layer);
    assert.deepEqual(await again.artifactDigests(), new Set(["a".repeat(64), "b".repeat(64)]));
  });

  test("a layer is found by its key, the last one that was put there", async (t) => {
    const { store } = await openFor(t, open);
    assert.equal(await store.getLayer("k"), null);
    await store.putLayer("k", layerOf("b"));
    await store.putLayer("k", layerOf("c"));
    assert.deepEqual(await store.getLayer("k"), layerOf("c"));
    assert.deepEqual(await store.artifactDigests(), new Set(["c".repeat(64)]));
  });

  test("layers go that were not used for long, then the longest unused above the bound", async (t) => {
    const { store, clock } = await openFor(t, open);
    const startedAt = clock.wall();
    for (const letter of "bcde") {
      await store.putLayer(letter, layerOf(letter));
      clock.stepMs(10);
    }
    await store.getLayer("b");
    assert.equal(await store.trimLayers({ before: startedAt + 5, bytesMax: 1000 }), 0);
    assert.equal(await store.trimLayers({ before: startedAt + 15, bytesMax: 1000 }), 1);
    assert.equal(await store.trimLayers({ before: 0, bytesMax: 200 }), 1);
    const kept = await Promise.all([..."bcde"].map((key) => store.getLayer(key)));
    assert.deepEqual(
      kept.map((layer) => layer !== null),
      [true, false, false, true],
    );
  });

  test("builds are listed newest first, page by page, those of one function", async (t) => {
    const { store } = await openFor(t, open);
    for (const [at, id] of ["b1", "b2", "b3", "b4"].entries())
      await store.addBuild(buildOf(id, 1000 + (at < 2 ? 0 : at)));
    await store.addBuild(buildOf("other", 1002, "g"));
    const query = { project, functionName: "f", limit: 3 };
    const first = await store.listBuilds(query);
    assert.deepEqual(
      first.items.map(({ id }) => id),
      ["b4", "b3", "b2"],
    );
    const cursor = first.nextCursor as string;
    const second = await store.listBuilds({ ...query, cursor });
    assert.deepEqual(
      second.items.map(({ id }) => id),
      ["b1"],
    );
    assert.equal(second.nextCursor, null);
  });

  test("a build ends once, with its output; what was running is closed by the next life", async (t) => {
    const { store, clock, reopen } = await openFor(t, open);
    await store.addBuild(buildOf("b1", 1000));
    await store.addBuild(buildOf("b2", 1001));
    const end = {
      state: "failed",
      isCached: false,
      message: "no",
      output: ["a", "", "b"],
      endedAt: 1005,
    } as const;
    await store.endBuild("b1", { ...end, output: [...end.output] });
    const again = await reopen();
    await again.closeBuilds("the server ended");
    const { items } = await again.listBuilds({ project, functionName: "f", limit: 10 });
    assert.deepEqual(items[1], { ...buildOf("b1", 1000), ...end });
    const { state, message, endedAt } = items[0] as BuildRow;
    assert.deepEqual([state, message, endedAt], ["failed", "the server ended", clock.wall()]);
  });

  test("of each function the last 50 builds are kept, and none for longer than is asked; those that run stay", async (t) => {
    const { store } = await openFor(t, open);
    await store.addBuild(buildOf("runs", 1));
    for (let at = 0; at < 55; at += 1) {
      const id = `b${String(at).padStart(2, "0")}`;
      await store.addBuild(buildOf(id, 1000 + at));
      await store.endBuild(id, {
        state: "ok",
        isCached: true,
        message: "",
        output: [],
        endedAt: 2000,
      });
    }
    const query = { project, functionName: "f", limit: 100 };
    const ids = (await store.listBuilds(query)).items.map(({ id }) => id);
    assert.deepEqual([ids[0], ids.at(-2), ids.at(-1), ids.length], ["b54", "b04", "runs", 52]);
    assert.equal(await store.trimBuilds(1050), 46);
    assert.equal((await store.listBuilds(query)).items.length, 6);
  });
}
