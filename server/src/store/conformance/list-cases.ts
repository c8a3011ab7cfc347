import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunctionQuery, Store } from "../store.ts";
import { create, newRevision, openFor, readAll, refusal, type OpenStore } from "./fixture.ts";

const sorts = ["name", "-name", "updatedAt", "-updatedAt", "createdAt", "-createdAt"] as const;

export function listCases(open: OpenStore): void {
  test("paging shows each of 1,000 functions once in every order while others are added", async (t) => {
    const { store, clock } = await openFor(t, open);
    const names = Array.from({ length: 1000 }, (_, index) => `f${(index * 7919) % 1000}`);
    for (const [index, name] of names.entries()) {
      if (index % 10 === 0) clock.stepMs(1); // ten functions share each moment
      await create(store, name);
    }
    for (const name of names.slice(0, 50)) await store.updateMetadata("default", name, {});
    const known = new Set(names);
    for (const sort of sorts) {
      const listed = await readAll(
        (cursor) => store.listFunctions({ project: "default", sort, cursor, limit: 64 }),
        (page) => create(store, `z${sort.replace("-", "d").toLowerCase()}${page}`),
      );
      const before = listed.filter((fn) => known.has(fn.name));
      assert.equal(new Set(listed.map((fn) => fn.id)).size, listed.length, `${sort}: a repeat`);
      assert.equal(before.length, 1000, `${sort}: a gap`);
      assertOrder(listed, sort);
      for (const { live, liveRevision } of listed) assert.equal(live.revision, liveRevision);
    }
  });

  test("a list is filtered by part of the name or description, literally and in any case", async (t) => {
    const { store } = await openFor(t, open);
    for (const name of ["alpha", "beta", "alphabet"]) await create(store, name);
    await store.updateMetadata("default", "beta", { description: "100%_SURE\\" });
    assert.deepEqual(await names(store, { query: "ALPHA" }), ["alpha", "alphabet"]);
    assert.deepEqual(await names(store, { query: "what al" }), ["alpha", "alphabet"]);
    assert.deepEqual(await names(store, { query: "%_sure\\" }), ["beta"]);
    assert.deepEqual(await names(store, { query: "a_p" }), []);
  });

  test("a list is filtered by labels, all of which must hold", async (t) => {
    const { store } = await openFor(t, open);
    await create(store, "a", { team: "x", tier: "1" });
    await create(store, "b", { team: "x", tier: "2" });
    await create(store, "c", { team: "y=z" });
    assert.deepEqual(await names(store, { labels: ["team"] }), ["a", "b", "c"]);
    assert.deepEqual(await names(store, { labels: ["team=x"] }), ["a", "b"]);
    assert.deepEqual(await names(store, { labels: ["team=x", "tier=2"] }), ["b"]);
    assert.deepEqual(await names(store, { labels: ["team=y=z"] }), ["c"]);
    assert.deepEqual(await names(store, { labels: ["tier", "team=y=z"] }), []);
    assert.deepEqual(await names(store, { labels: ["team="] }), []);
    const paged = await readAll((cursor) =>
      store.listFunctions({
        project: "default",
        sort: "-name",
        labels: ["team"],
        cursor,
        limit: 1,
      }),
    );
    assert.deepEqual(
      paged.map((fn) => fn.name),
      ["c", "b", "a"],
    );
  });

  test("a list of another project is empty, and its first page has no cursor", async (t) => {
    const { store } = await openFor(t, open);
    await create(store, "a");
    const page = await store.listFunctions({ project: "other", sort: "name", limit: 5 });
    assert.deepEqual(page, { items: [], nextCursor: null });
    const full = await store.listFunctions({ project: "default", sort: "name", limit: 1 });
    assert.equal(full.nextCursor, null);
  });

  test("a list of all projects has every function of each, in every order, page by page", async (t) => {
    const { store, clock } = await openFor(t, open);
    const made: string[] = [];
    for (const project of ["one", "two"]) {
      await store.createProject({ name: project, description: "", driver: null });
      for (const name of ["a", "b", "c"]) {
        clock.stepMs(1);
        const given = { project, name, description: name, labels: { of: project } };
        made.push((await store.createFunction({ ...given, first: newRevision() })).fn.id);
      }
    }
    for (const sort of sorts) {
      const listed = await readAll((cursor) =>
        store.listFunctions({ project: null, sort, cursor, limit: 2 }),
      );
      assert.deepEqual(listed.map(({ id }) => id).toSorted(), made.toSorted(), sort);
      assertOrder(listed, sort);
    }
    const found = await store.listFunctions({ project: null, sort: "name", query: "b", limit: 9 });
    assert.equal(found.items.length, 2);
    const labels = ["of=two"];
    const ofTwo = await store.listFunctions({ project: null, sort: "name", labels, limit: 9 });
    assert.deepEqual(new Set(ofTwo.items.map(({ project }) => project)), new Set(["two"]));
  });

  test("a cursor that is broken or of another order is an invalid request with details", async (t) => {
    const { store } = await openFor(t, open);
    for (const name of ["a", "b", "c"]) await create(store, name);
    const { fn } = await store.addRevision("default", "a", () => newRevision());
    const base = { project: "default", sort: "name", limit: 1 } as const;
    const { nextCursor } = await store.listFunctions(base);
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const bad = [
      "",
      "x",
      "%%%",
      encode({}),
      encode(["name"]),
      encode(["name", 1]),
      "A".repeat(1e5),
    ];
    const refused = (error: unknown) => {
      refusal("invalid_request", /cursor/)(error);
      assert.equal((error as { details: { path: string }[] }).details[0]?.path, "query.cursor");
      return true;
    };
    for (const cursor of bad) {
      await assert.rejects(store.listFunctions({ ...base, cursor }), refused);
      await assert.rejects(store.listRevisions(fn.id, { cursor, limit: 1 }), refused);
      await assert.rejects(
        store.listInvocations({ project: "default", cursor, limit: 1 }),
        refused,
      );
      await assert.rejects(
        store.listLogs({ project: "default", functionName: "a", cursor, limit: 1 }),
        refused,
      );
    }
    const cursor = nextCursor as string;
    await assert.rejects(store.listFunctions({ ...base, sort: "-name", cursor }), refused);
  });
}

async function names(store: Store, filter: Partial<FunctionQuery>): Promise<string[]> {
  const query = { project: "default", sort: "name", limit: 100, ...filter } as const;
  return (await store.listFunctions(query)).items.map((fn) => fn.name);
}

function assertOrder(
  rows: { name: string; updatedAt: number; createdAt: number }[],
  sort: FunctionQuery["sort"],
): void {
  const key = sort.replace("-", "") as "name" | "updatedAt" | "createdAt";
  for (const [index, row] of rows.entries()) {
    const next = rows[index + 1];
    if (!next) return;
    const [low, high] = sort.startsWith("-") ? [next, row] : [row, next];
    assert.ok(low[key] <= high[key], `${sort}: ${row.name} before ${next.name}`);
  }
}
