import assert from "node:assert/strict";
import { test } from "node:test";
import { type RevisionSettings, laterSettings } from "../../domain/function.ts";
import { create, newRevision, openFor, readAll, refusal, settings } from "./fixture.ts";
import type { OpenStore } from "./fixture.ts";

export function revisionCases(open: OpenStore): void {
  test("a new revision follows the live one, is live, and counts a version", async (t) => {
    const { store } = await openFor(t, open);
    const { revision: first } = await create(store, "hello");
    const { fn, revision } = await store.addRevision("default", "hello", (live) => {
      assert.deepEqual(live, first);
      const changed = { ...live.settings, timeoutMs: 5 };
      return newRevision({ artifact: live.artifact, settings: changed, reason: "settings" });
    });
    assert.equal(revision.revision, 2);
    assert.equal(revision.settings.timeoutMs, 5);
    assert.equal(revision.reason, "settings");
    assert.deepEqual([fn.liveRevision, fn.latestRevision, fn.version], [2, 2, 2]);
    assert.deepEqual(await store.getFunction("default", "hello"), fn);
    assert.deepEqual(await store.getRevision(fn.id, 2), revision);
  });

  test("a revision from before a setting existed reads with the value that changes nothing", async (t) => {
    const { store } = await openFor(t, open);
    const { fn } = await create(store, "hello");
    const isEarly = ([name]: [string, unknown]) => !(name in laterSettings) || name === "schedules"; // which is counted when it is written
    const early = Object.fromEntries(Object.entries(settings).filter(isEarly));
    await store.addRevision("default", "hello", () =>
      newRevision({ settings: early as unknown as RevisionSettings }),
    );
    assert.deepEqual((await store.getRevision(fn.id, 2)).settings, settings);
  });

  test("a revision and what is said of its function change together", async (t) => {
    const { store } = await openFor(t, open);
    await create(store, "hello");
    const metadata = { description: "said", labels: { team: "a" } };
    const { fn } = await store.addRevision("default", "hello", () => newRevision({ metadata }));
    assert.deepEqual([fn.description, fn.labels, fn.version], ["said", { team: "a" }, 2]);
    assert.deepEqual(await store.getFunction("default", "hello"), fn);
  });

  test("a revision whose change throws leaves everything as it was", async (t) => {
    const { store } = await openFor(t, open);
    const { fn } = await create(store, "hello");
    const boom = new Error("boom");
    const refused = store.addRevision("default", "hello", () => {
      throw boom;
    });
    await assert.rejects(refused, boom);
    assert.deepEqual(await store.getFunction("default", "hello"), fn);
    const { revision } = await store.addRevision("default", "hello", () => newRevision());
    assert.equal(revision.revision, 2);
  });

  test("revisions added at once get distinct numbers, each sees the one before, the last is live", async (t) => {
    const { store } = await openFor(t, open);
    const { fn } = await create(store, "hello");
    const seen: number[] = [];
    const added = await Promise.all(
      Array.from({ length: 100 }, () =>
        store.addRevision("default", "hello", (live) => {
          seen.push(live.revision);
          return newRevision({ reason: "code" });
        }),
      ),
    );
    const numbers = added.map(({ revision }) => revision.revision).toSorted((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from({ length: 100 }, (_, index) => index + 2),
    );
    assert.deepEqual(
      seen,
      numbers.map((number) => number - 1),
    );
    const after = await store.getFunction("default", "hello");
    assert.deepEqual([after.liveRevision, after.latestRevision, after.version], [101, 101, 101]);
    const listed = await readAll((cursor) => store.listRevisions(fn.id, { cursor, limit: 7 }));
    assert.deepEqual(
      listed.map((row) => row.revision),
      Array.from({ length: 101 }, (_, index) => 101 - index),
    );
  });

  test("of many changes for one version exactly one succeeds", async (t) => {
    const { store } = await openFor(t, open);
    await create(store, "hello");
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, () => store.addRevision("default", "hello", newRevision, 1)),
    );
    assert.equal(all.filter((result) => result.status === "fulfilled").length, 1);
    assert.equal((await store.getFunction("default", "hello")).latestRevision, 2);
  });

  test("live moves to any revision that exists; the next revision still has a new number", async (t) => {
    const { store } = await openFor(t, open);
    const { fn } = await create(store, "hello");
    await store.addRevision("default", "hello", () => newRevision());
    const back = await store.setLive("default", "hello", 1, 2);
    assert.deepEqual([back.liveRevision, back.latestRevision, back.version], [1, 2, 3]);
    const next = await store.addRevision("default", "hello", (live) => {
      assert.equal(live.revision, 1);
      return newRevision();
    });
    assert.equal(next.revision.revision, 3);
    const missing = refusal("not_found", /revision 9 does not exist; the newest are 3, 2, 1/);
    await assert.rejects(store.setLive("default", "hello", 9), missing);
    await assert.rejects(store.getRevision(fn.id, 9), missing);
    assert.equal((await store.getFunction("default", "hello")).liveRevision, 3);
  });

  test("deployed functions are the live revisions, also when there are thousands", async (t) => {
    const { store } = await openFor(t, open);
    const names = Array.from({ length: 1005 }, (_, index) => `fn-${index}`);
    for (const name of names) await create(store, name);
    const { fn } = await store.addRevision("default", "fn-7", () =>
      newRevision({ settings: { ...settings, timeoutMs: 7 } }),
    );
    await store.addRevision("default", "fn-8", () => newRevision());
    await store.setLive("default", "fn-8", 1);
    const deployed = await store.deployedFunctions();
    assert.deepEqual(deployed.map(({ name }) => name).toSorted(), names.toSorted());
    assert.deepEqual(
      deployed.find(({ name }) => name === "fn-7"),
      {
        project: "default",
        name: "fn-7",
        functionId: fn.id,
        revision: 2,
        artifact: newRevision().artifact,
        settings: { ...settings, timeoutMs: 7 },
      },
    );
    assert.equal(deployed.find(({ name }) => name === "fn-8")?.revision, 1);
  });

  test("routes and drivers are those of live revisions, and digests those of all revisions", async (t) => {
    const { store } = await openFor(t, open);
    await create(store, "hello");
    await create(store, "other");
    const driver = "process";
    const other = { project: "default", name: "other", route: null, driver };
    const route = { methods: ["GET", "POST"], path: "/users/:id" };
    const digest = "b".repeat(64);
    await store.addRevision("default", "hello", ({ artifact }) =>
      newRevision({
        settings: { ...settings, route, driver: "docker" },
        artifact: { ...artifact, digest },
      }),
    );
    const hello = { project: "default", name: "hello" };
    assert.deepEqual(await store.liveFunctions(), [{ ...hello, route, driver: "docker" }, other]);
    assert.deepEqual(await store.artifactDigests(), new Set(["a".repeat(64), digest]));
    await store.setLive("default", "hello", 1);
    assert.deepEqual(await store.liveFunctions(), [{ ...hello, route: null, driver }, other]);
  });
}
