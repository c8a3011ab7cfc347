import assert from "node:assert/strict";
import { test } from "node:test";
import { create, newRevision, openFor, refusal, settings, type OpenStore } from "./fixture.ts";

export function functionCases(open: OpenStore): void {
  test("a created function has revision 1, live, and is read back as it was given", async (t) => {
    const { store, clock } = await openFor(t, open);
    const { fn, revision } = await create(store, "hello", { team: "a=b" });
    assert.deepEqual(fn, {
      id: fn.id,
      project: "default",
      name: "hello",
      description: "what hello does",
      labels: { team: "a=b" },
      version: 1,
      liveRevision: 1,
      latestRevision: 1,
      createdAt: clock.wall(),
      updatedAt: clock.wall(),
    });
    assert.deepEqual(await store.getFunction("default", "hello"), fn);
    assert.deepEqual(await store.getRevision(fn.id, 1), revision);
    assert.deepEqual(revision.settings, settings);
    assert.equal(revision.reason, "create");
  });

  test("a name that is taken is a conflict and changes nothing", async (t) => {
    const { store } = await openFor(t, open);
    const { fn } = await create(store, "hello");
    await assert.rejects(create(store, "hello"), refusal("conflict", /function "hello" already/));
    assert.deepEqual(await store.getFunction("default", "hello"), fn);
  });

  test("of many creates of one name at once exactly one succeeds", async (t) => {
    const { store } = await openFor(t, open);
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => create(store, "one")));
    assert.equal(all.filter((result) => result.status === "fulfilled").length, 1);
  });

  test("a function in a project that does not exist is not found", async (t) => {
    const { store } = await openFor(t, open);
    const input = { project: "other", name: "x", description: "", labels: {} };
    await assert.rejects(
      store.createFunction({ ...input, first: newRevision() }),
      refusal("not_found", /project "other" does not exist/),
    );
  });

  test("every call on a missing function is not found and names it", async (t) => {
    const { store } = await openFor(t, open);
    const missing = refusal("not_found", /^function "x" does not exist in project "default"$/);
    await assert.rejects(store.getFunction("default", "x"), missing);
    await assert.rejects(store.addRevision("default", "x", newRevision), missing);
    await assert.rejects(store.updateMetadata("default", "x", {}, 3), missing);
    await assert.rejects(store.setLive("default", "x", 1), missing);
    await assert.rejects(store.deleteFunction("default", "x"), missing);
  });

  test("metadata changes without a revision, counts a version, and keeps what is not named", async (t) => {
    const { store, clock } = await openFor(t, open);
    await create(store, "hello", { team: "a", tier: "1" });
    clock.stepMs(5);
    const changed = await store.updateMetadata("default", "hello", { labels: { team: "b" } }, 1);
    assert.deepEqual(await store.getFunction("default", "hello"), changed);
    assert.equal(changed.version, 2);
    assert.equal(changed.latestRevision, 1);
    assert.equal(changed.description, "what hello does");
    assert.equal(changed.updatedAt, clock.wall());
    assert.deepEqual(changed.labels, { team: "b" });
    const found = async (label: string) =>
      (
        await store.listFunctions({ project: "default", sort: "name", labels: [label], limit: 9 })
      ).items.map((fn) => fn.name);
    assert.deepEqual(await found("tier"), []);
    assert.deepEqual(await found("team=b"), ["hello"]);
  });

  test("a change made for a version that has passed is refused and changes nothing", async (t) => {
    const { store } = await openFor(t, open);
    await create(store, "hello");
    const before = await store.updateMetadata("default", "hello", { description: "new" }, 1);
    const refused = refusal("precondition_failed", /is at version 2.* for version 1/);
    await assert.rejects(store.updateMetadata("default", "hello", {}, 1), refused);
    await assert.rejects(store.addRevision("default", "hello", newRevision, 1), refused);
    await assert.rejects(store.setLive("default", "hello", 1, 1), refused);
    await assert.rejects(store.deleteFunction("default", "hello", 1), refused);
    assert.deepEqual(await store.getFunction("default", "hello"), before);
  });

  test("a deleted function is gone with its revisions, and its name comes back with another id", async (t) => {
    const { store } = await openFor(t, open);
    const first = await create(store, "hello", { team: "a" });
    await store.addRevision("default", "hello", () => newRevision({ reason: "code" }));
    await store.deleteFunction("default", "hello", 2);
    await assert.rejects(store.getFunction("default", "hello"), refusal("not_found", /hello/));
    await assert.rejects(store.getRevision(first.fn.id, 1), refusal("not_found", /revision 1/));
    assert.deepEqual(await store.deployedFunctions(), []);
    assert.deepEqual(await store.artifactDigests(), new Set());
    const again = await create(store, "hello", { team: "a" });
    assert.notEqual(again.fn.id, first.fn.id);
    assert.equal(again.fn.latestRevision, 1);
  });

  test("what was answered is there after the store was closed and opened again", async (t) => {
    const { store, reopen } = await openFor(t, open);
    const { fn } = await create(store, "hello", { team: "a" });
    const added = await store.addRevision("default", "hello", () =>
      newRevision({ reason: "settings" }),
    );
    await store.close();
    const again = await reopen();
    assert.deepEqual(await again.getFunction("default", "hello"), added.fn);
    assert.equal((await again.listRevisions(fn.id, { limit: 9 })).items.length, 2);
  });
}
