import assert from "node:assert/strict";
import { test } from "node:test";
import { newRevision, openFor, readAll, refusal, type OpenStore } from "./fixture.ts";

export function projectCases(open: OpenStore): void {
  const given = { name: "team-a", description: "the first", driver: "docker" as const };

  test("a project is kept, changed and listed as it was given; default is there from the start", async (t) => {
    const { store, clock } = await openFor(t, open);
    assert.equal((await store.getProject("default")).driver, null);
    const made = await store.createProject(given);
    const { createdAt: at } = made;
    assert.deepEqual(made, { ...given, version: 1, createdAt: clock.wall(), updatedAt: at });
    assert.deepEqual(await store.getProject("team-a"), made);
    clock.stepMs(5);
    const changed = await store.updateProject("team-a", { driver: null }, 1);
    assert.deepEqual(changed, { ...made, driver: null, version: 2, updatedAt: at + 5 });
    assert.deepEqual(await store.getProject("team-a"), changed);
    await store.createProject({ ...given, name: "b" });
    const listed = await readAll((cursor) => store.listProjects({ limit: 1, cursor }));
    assert.deepEqual(
      listed.map(({ name }) => name),
      ["b", "default", "team-a"],
    );
    await assert.rejects(store.createProject(given), refusal("conflict", /"team-a" exists/));
  });

  test("a change of a project for a version that has passed is refused, one that is not there is not found", async (t) => {
    const { store } = await openFor(t, open);
    const made = await store.createProject(given);
    const passed = refusal("precondition_failed", /is at version 1.* for version 7/);
    await assert.rejects(store.updateProject("team-a", { description: "x" }, 7), passed);
    await assert.rejects(store.deleteProject("team-a", 7), passed);
    assert.deepEqual(await store.getProject("team-a"), made);
    const missing = refusal("not_found", /project "x" does not exist/);
    await assert.rejects(store.getProject("x"), missing);
    await assert.rejects(store.updateProject("x", {}), missing);
    await assert.rejects(store.deleteProject("x"), missing);
  });

  test("a project is deleted once it has neither functions nor working keys, and its name is not given again", async (t) => {
    const { store } = await openFor(t, open);
    await store.createProject(given);
    const fn = { project: "team-a", name: "hello", description: "", labels: {} };
    await store.createFunction({ ...fn, first: newRevision() });
    const rights = { scopes: ["read" as const], project: "team-a", expiresAt: null };
    await store.createKey({ id: "k1", name: "ci", ...rights, secretHash: "c" });
    const left = refusal("conflict", /functions \(hello\) and keys \(k1 "ci"\)/);
    await assert.rejects(store.deleteProject("team-a"), left);
    assert.equal((await store.getProject("team-a")).version, 1, "nothing was counted");
    await store.deleteFunction("team-a", "hello");
    await assert.rejects(
      store.deleteProject("team-a"),
      refusal("conflict", /has keys \(k1 "ci"\)/),
    );
    await store.revokeKey("k1");
    await store.deleteProject("team-a");
    await assert.rejects(store.getProject("team-a"), refusal("not_found", /team-a/));
    await assert.rejects(store.updateProject("team-a", {}), refusal("not_found", /team-a/));
    assert.deepEqual(
      (await store.listProjects({ limit: 9 })).items.map(({ name }) => name),
      ["default"],
    );
    await assert.rejects(
      store.createProject(given),
      refusal("conflict", /name is not given again/),
    );
    const gone = refusal("not_found", /project "team-a" does not exist/);
    await assert.rejects(store.createFunction({ ...fn, first: newRevision() }), gone);
    await assert.rejects(
      store.createKey({ id: "k2", name: "ci", ...rights, secretHash: "c" }),
      gone,
    );
    await assert.rejects(store.deleteProject("default"), refusal("conflict", /exists always/));
  });
}
