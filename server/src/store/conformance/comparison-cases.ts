import assert from "node:assert/strict";
import { test } from "node:test";
import { comparisonRow } from "../../comparisons/comparison-row.fixture.ts";
import { type OpenStore, batchOf, invocation, openFor, readAll, refusal } from "./fixture.ts";

const project = "default";

export function comparisonCases(open: OpenStore): void {
  test("a comparison comes back as it was put, and ends once with its results", async (t) => {
    const { store, reopen } = await openFor(t, open);
    const running = comparisonRow({ state: "running", drivers: [], endedAt: null });
    await store.addComparison(running);
    assert.deepEqual(await store.getComparison(project, "cmp-1"), running);
    const ended = comparisonRow({ message: "grüß \u0000dich", otherCalls: 7 });
    const { state, message, drivers, otherCalls, endedAt } = ended;
    await store.endComparison("cmp-1", { state, message, drivers, otherCalls, endedAt });
    const again = await reopen();
    assert.deepEqual(await again.getComparison(project, "cmp-1"), ended);
  });

  test("comparisons are listed newest first, page by page, all or those of one function", async (t) => {
    const { store } = await openFor(t, open);
    for (const [at, id] of ["c1", "c2", "c3", "c4"].entries())
      await store.addComparison(comparisonRow({ id, startedAt: at < 2 ? 1000 : 1000 + at }));
    await store.addComparison(comparisonRow({ id: "g", functionName: "g", startedAt: 1002 }));
    await store.addComparison(comparisonRow({ id: "other", project: "other" }));
    const read = (functionName?: string) =>
      readAll((cursor) =>
        store.listComparisons({
          ...{ project, limit: 2, ...(cursor !== undefined && { cursor }) },
          ...(functionName !== undefined && { functionName }),
        }),
      );
    const ids = async (name?: string) => (await read(name)).map(({ id }) => id);
    assert.deepEqual(await ids(), ["c4", "g", "c3", "c2", "c1"]);
    assert.deepEqual(await ids("hello"), ["c4", "c3", "c2", "c1"]);
    assert.deepEqual(await ids("none"), []);
  });

  test("a comparison that is removed, or of another project, is not found", async (t) => {
    const { store } = await openFor(t, open);
    await store.addComparison(comparisonRow());
    const unknown = refusal("not_found", /no comparison "cmp-1"/);
    await assert.rejects(store.getComparison("other", "cmp-1"), unknown);
    await assert.rejects(store.deleteComparison("other", "cmp-1"), unknown);
    await store.deleteComparison(project, "cmp-1");
    await assert.rejects(store.getComparison(project, "cmp-1"), unknown);
    await assert.rejects(store.deleteComparison(project, "cmp-1"), unknown);
  });

  test("what was running when a life ended has failed in the next", async (t) => {
    const { store, clock } = await openFor(t, open);
    await store.addComparison(comparisonRow({ id: "c1" }));
    await store.addComparison(comparisonRow({ id: "c2", state: "running", endedAt: null }));
    await store.closeComparisons("it ended");
    assert.equal((await store.getComparison(project, "c1")).state, "done");
    const { state, message, endedAt } = await store.getComparison(project, "c2");
    assert.deepEqual([state, message, endedAt], ["failed", "it ended", clock.wall()]);
  });

  test("of a project the last 200 comparisons are kept, and those that run", async (t) => {
    const { store } = await openFor(t, open);
    await store.addComparison(comparisonRow({ id: "runs", state: "running", startedAt: 1 }));
    for (let at = 0; at < 203; at += 1)
      await store.addComparison(comparisonRow({ id: `c${at}`, startedAt: 1000 + at, drivers: [] }));
    const all = await readAll((cursor) =>
      store.listComparisons({ project, limit: 100, ...(cursor !== undefined && { cursor }) }),
    );
    assert.deepEqual(
      [all.length, all[0]?.id, all.at(-2)?.id, all.at(-1)?.id],
      [201, "c202", "c3", "runs"],
    );
  });

  test("calls are summed by function, revision and driver, within the time asked for", async (t) => {
    const { store } = await openFor(t, open);
    const call = { startedAt: 1000, startMs: null, initMs: null, runMs: 1.25 };
    await store.recordBatch(
      batchOf([
        invocation({ ...call, id: "a", startMs: 50, initMs: 10.5, runMs: 2 }),
        invocation({ ...call, id: "b" }),
        invocation({ ...call, id: "late", startedAt: 2000 }),
        invocation({ ...call, id: "early", startedAt: 999 }),
        invocation({ ...call, id: "refused", runMs: null }),
        invocation({ ...call, id: "foreign", project: "other" }),
      ]),
    );
    await store.recordBatch(
      batchOf([
        invocation({ ...call, id: "c" }),
        invocation({ ...call, id: "r", revision: 2 }),
        invocation({ ...call, id: "d", driver: "docker" }),
        invocation({ ...call, id: "g", functionName: "g", functionId: "fn-2" }),
      ]),
    );
    const asked = { project, since: 1000, until: 2000 };
    const hello = { functionName: "hello", functionId: "fn-1", revision: 1, driver: "process" };
    const one = { calls: 1, busyMs: 1.25, billedMs: 2 };
    const sorted = async (functionName?: string) => {
      const more = functionName === undefined ? {} : { functionName };
      const totals = await store.callTotals({ ...asked, ...more });
      return totals.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    };
    // a: 62.5 ms busy, 13 ms billed; b and c: 1.25 and 2
    const ofHello = [
      { ...hello, driver: "docker", ...one },
      { ...hello, calls: 3, busyMs: 65, billedMs: 17 },
      { ...hello, revision: 2, ...one },
    ].toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    assert.deepEqual(await sorted("hello"), ofHello);
    assert.equal((await sorted()).length, 4);
    assert.deepEqual(await sorted("none"), []);
  });
}
