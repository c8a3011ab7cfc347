import assert from "node:assert/strict";
import { test } from "node:test";
import { idOf } from "../../domain/ids.ts";
import type { InvocationRecord } from "../../domain/invocation.ts";
import type { InvocationQuery } from "../store.ts";
import {
  batchOf,
  invocation,
  logLine,
  openFor,
  readAll,
  refusal,
  type OpenStore,
} from "./fixture.ts";

const count = 3000; // several statements' worth of rows

export function recordCases(open: OpenStore): void {
  test("an invocation is read back with its lines in order", async (t) => {
    const { store } = await openFor(t, open);
    const failed = invocation({
      id: "inv-2",
      outcome: "function_error",
      errorCode: "function_error",
      errorMessage: "boom",
      startKind: null,
      sandboxId: null,
    });
    const lines = [
      logLine({ text: "second", at: 7 }),
      logLine({ text: "first", at: 5, truncated: true }),
      logLine({ text: "third", at: 7, stream: "stderr", level: "error" }),
      logLine({ text: "outside", invocationId: null }),
    ];
    await store.recordBatch(batchOf([invocation(), failed], lines));
    assert.deepEqual(await store.getInvocation("default", "inv-1"), {
      ...invocation(),
      logs: [lines[1], lines[0], lines[2]],
    });
    assert.deepEqual(await store.getInvocation("default", "inv-2"), { ...failed, logs: [] });
    await assert.rejects(store.getInvocation("default", "inv-9"), refusal("not_found", /inv-9/));
    await assert.rejects(store.getInvocation("other", "inv-1"), refusal("not_found", /inv-1/));
  });

  test("an empty batch is taken, and a batch that comes twice is kept once", async (t) => {
    const { store } = await openFor(t, open);
    await store.recordBatch(batchOf([]));
    const batch = batchOf([invocation(), invocation({ id: "inv-2" })], [logLine()]);
    assert.equal((await store.recordBatch(batch)).isNew, true);
    await store.recordBatch({ ...batch, source: "another gateway", invocations: null });
    await store.recordBatch(batchOf([invocation({ id: "inv-3" })]));
    const nothing = { isNew: false, logs: [], events: [] };
    assert.deepEqual(await store.recordBatch(batch), nothing, "nobody is told of it again");
    const page = await store.listInvocations({ project: "default", limit: 9 });
    assert.deepEqual(
      page.items.map(({ id }) => id),
      ["inv-3", "inv-2", "inv-1"],
    );
    assert.equal((await store.getInvocation("default", "inv-1")).logs.length, 2);
  });

  test("a batch is known again after many others, and after a restart", async (t) => {
    const { store, reopen } = await openFor(t, open);
    const batches = Array.from({ length: 1100 }, (_, at) => ({
      ...batchOf([], [logLine({ text: String(at) })]),
      ...{ source: "gateway", batch: at + 1 },
    }));
    for (const batch of batches) await store.recordBatch(batch);
    await store.close();
    const again = await reopen();
    for (const batch of batches.slice(-64)) await again.recordBatch(batch);
    const query = { project: "default", functionName: "hello", limit: 2000 };
    assert.equal((await again.listLogs(query)).items.length, 1100);
  });

  test("an invocation is found by its id among many that ran at the same time", async (t) => {
    const { store } = await openFor(t, open);
    const idAt = (time: number) =>
      idOf({ prefix: "inv", time: 1e12 + time, boot: "0".repeat(13), counter: time + 1 });
    // Each batch spans the times of all others.
    for (let batch = 0; batch < 30; batch += 1) {
      const times = [batch, 500 - batch, 1000 + batch];
      await store.recordBatch(batchOf(times.map((time) => invocation({ id: idAt(time) }))));
    }
    for (const time of [0, 29, 471, 485, 500, 1000, 1029])
      assert.equal((await store.getInvocation("default", idAt(time))).id, idAt(time));
    for (const time of [400, 700, 2000])
      await assert.rejects(
        store.getInvocation("default", idAt(time)),
        refusal("not_found", /inv-/),
      );
    await assert.rejects(store.getInvocation("other", idAt(0)), refusal("not_found", /inv-/));
  });

  test("paging shows each of thousands of invocations once, newest first, while others are added", async (t) => {
    const { store } = await openFor(t, open);
    const at = (index: number) => 1000 + Math.floor(index / 7);
    const all = Array.from({ length: count }, (_, index) =>
      invocation({ id: `inv-${index}`, startedAt: at(index) }),
    );
    for (let at = 0; at < count; at += 700)
      await store.recordBatch(batchOf(all.filter((_, index) => index % 5 === at / 700)));
    const listed = await readAll(
      (cursor) => store.listInvocations({ project: "default", cursor, limit: 250 }),
      (page) =>
        store.recordBatch(batchOf([invocation({ id: `new-${page}`, startedAt: 9000 + page })])),
    );
    assert.equal(listed.length, count);
    assert.equal(new Set(listed.map(({ id }) => id)).size, count);
    const times = listed.map(({ startedAt }) => startedAt);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => b - a),
    );
  });

  test("invocations are filtered by function, outcome and time", async (t) => {
    const { store } = await openFor(t, open);
    await store.recordBatch(
      batchOf([
        invocation({ id: "a", startedAt: 10 }),
        invocation({ id: "b", startedAt: 20, outcome: "timeout" }),
        invocation({ id: "c", startedAt: 30, functionName: "other", outcome: "timeout" }),
        invocation({ id: "d", startedAt: 40, project: "second" }),
      ]),
    );
    const ids = async (filter: Partial<InvocationQuery>) =>
      (await store.listInvocations({ project: "default", limit: 9, ...filter })).items.map(
        ({ id }) => id,
      );
    assert.deepEqual(await ids({}), ["c", "b", "a"]);
    assert.deepEqual(await ids({ functionName: "hello" }), ["b", "a"]);
    assert.deepEqual(await ids({ outcomes: ["timeout"] }), ["c", "b"]);
    assert.deepEqual(await ids({ outcomes: ["timeout"], functionName: "hello" }), ["b"]);
    assert.deepEqual(await ids({ outcomes: ["timeout", "ok", "timeout"] }), ["c", "b", "a"]);
    assert.deepEqual(await ids({ outcomes: ["crash", "timeout"] }), ["c", "b"]);
    assert.deepEqual(await ids({ project: null }), ["d", "c", "b", "a"]);
    assert.deepEqual(await ids({ project: null, functionName: "hello" }), ["d", "b", "a"]);
    assert.deepEqual(await ids({ since: 10, until: 30 }), ["b", "a"]);
    assert.deepEqual(await ids({ project: "second" }), ["d"]);
  });

  test("invocations are found by their trace, and keep their place in it", async (t) => {
    const { store } = await openFor(t, open);
    const trace = (digit: string) => ({
      traceId: digit.repeat(32),
      runSpanId: digit === "a" ? "b".repeat(16) : null,
      parentSpanId: null,
    });
    const traced = [
      invocation({ id: "a", startedAt: 10, trace: trace("a") }),
      invocation({ id: "b", startedAt: 20, trace: trace("1") }),
      invocation({ id: "c", startedAt: 30 }),
    ];
    await store.recordBatch(batchOf(traced));
    await store.recordBatch(batchOf([invocation({ id: "d", startedAt: 40, trace: trace("a") })]));
    await store.recordBatch(batchOf([invocation({ id: "e", startedAt: 50 })]));
    const found = async (digit: string) => {
      const query = { project: "default", limit: 9, traceId: digit.repeat(32) };
      return (await store.listInvocations(query)).items.map(({ id }) => id);
    };
    assert.deepEqual(await found("a"), ["d", "a"]);
    assert.deepEqual(await found("1"), ["b"]);
    assert.deepEqual(await found("2"), []);
    assert.deepEqual(await found("0"), [], "what has no trace is of none");
    for (const { id, trace: kept } of traced)
      assert.deepEqual((await store.getInvocation("default", id)).trace, kept);
  });

  test("paging in any way shows what a list in memory would, wherever chunks begin and end", async (t) => {
    const { store } = await openFor(t, open);
    const all = Array.from({ length: 400 }, (_, index) =>
      invocation({
        id: `inv-${index}`,
        startedAt: Math.floor((index * 7919) % 97),
        functionName: index % 3 === 0 ? "hello" : "other",
        outcome: index % 11 === 0 ? "timeout" : index % 7 === 0 ? "crash" : "ok",
        project: ["second", "default", "third"][index % 13] ?? "default",
      }),
    );
    for (let at = 0, size = 1; at < all.length; at += size, size = (size * 2) % 61)
      await store.recordBatch(batchOf(all.slice(at, at + size)));
    const filters: Partial<InvocationQuery>[] = [
      {},
      { functionName: "hello" },
      { outcomes: ["timeout"] },
      { outcomes: ["timeout", "crash"] },
      { project: null },
      { project: null, outcomes: ["timeout", "crash"], since: 5 },
      { functionName: "other", outcomes: ["ok"] },
      { since: 20, until: 60 },
      { functionName: "hello", outcomes: ["timeout"], since: 5 },
      { functionName: "none" },
    ];
    for (const filter of filters)
      for (const limit of [1, 7, 100]) {
        const query = { project: "default", ...filter, limit };
        const listed = await readAll((cursor) => store.listInvocations({ ...query, cursor }));
        assert.deepEqual(
          listed.map(({ id }) => id),
          expectedIds(all, query),
        );
      }
  });

  test("a page stays right while the records behind it are trimmed", async (t) => {
    const { store } = await openFor(t, open);
    const all = Array.from({ length: 100 }, (_, at) =>
      invocation({ id: `inv-${at}`, startedAt: at }),
    );
    await store.recordBatch(batchOf(all));
    const first = await store.listInvocations({ project: "default", limit: 10 });
    await store.trimRecords({ invocationsMax: 40, before: 0 });
    const cursor = first.nextCursor as string;
    const rest = await store.listInvocations({ project: "default", limit: 99, cursor });
    assert.deepEqual(
      [...first.items, ...rest.items].map(({ startedAt }) => startedAt),
      Array.from({ length: 40 }, (_, at) => 99 - at),
    );
  });

  test("trimming drops what is too old and what is too much, oldest first, and says how many", async (t) => {
    const { store } = await openFor(t, open);
    const all = Array.from({ length: count }, (_, index) =>
      invocation({ id: `inv-${index}`, startedAt: count - index }),
    );
    for (let at = 0; at < count; at += 50) await store.recordBatch(batchOf(all.slice(at, at + 50)));
    const none = { invocationsMax: count, before: 0 };
    assert.equal(await store.trimRecords(none), 0);
    // Of times 1 to 50, 51 to 100, 101 to 150, and so on: the third batch is not old as a whole.
    assert.equal(await store.trimRecords({ ...none, before: 120 }), 100);
    const bounds = { invocationsMax: 10, before: 0 };
    assert.equal(await store.trimRecords(bounds), count - 100 - 10);
    const kept = await store.listInvocations({ project: "default", limit: 99 });
    assert.deepEqual(
      kept.items.map(({ startedAt }) => startedAt),
      Array.from({ length: 10 }, (_, index) => count - index),
    );
    await assert.rejects(store.getInvocation("default", "inv-10"), refusal("not_found", /inv-10/));
    assert.equal(await store.trimRecords({ invocationsMax: 0, before: 0 }), 10);
    assert.deepEqual((await store.listInvocations({ project: "default", limit: 9 })).items, []);
  });
}

function expectedIds(all: InvocationRecord[], query: InvocationQuery): string[] {
  const { project, functionName, outcomes, since = -Infinity, until = Infinity } = query;
  return all
    .filter((one) => project === null || one.project === project)
    .filter((one) => functionName === undefined || one.functionName === functionName)
    .filter((one) => outcomes === undefined || outcomes.includes(one.outcome))
    .filter((one) => one.startedAt >= since && one.startedAt < until)
    .toSorted((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);
}
