import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocationQuery, LogQuery } from "../store.ts";
import { invocation, logLine, openFor, readAll, refusal, type OpenStore } from "./fixture.ts";

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
    await store.recordBatch([invocation(), failed], lines);
    assert.deepEqual(await store.getInvocation("default", "inv-1"), {
      ...invocation(),
      logs: [lines[1], lines[0], lines[2]],
    });
    assert.deepEqual(await store.getInvocation("default", "inv-2"), { ...failed, logs: [] });
    await assert.rejects(store.getInvocation("default", "inv-9"), refusal("not_found", /inv-9/));
    await assert.rejects(store.getInvocation("other", "inv-1"), refusal("not_found", /inv-1/));
  });

  test("an empty batch is taken, and an invocation that comes twice is kept once", async (t) => {
    const { store } = await openFor(t, open);
    await store.recordBatch([], []);
    await store.recordBatch([invocation()], []);
    await store.recordBatch([invocation({ status: 500 }), invocation({ id: "inv-2" })], []);
    const page = await store.listInvocations({ project: "default", limit: 9 });
    assert.deepEqual(
      page.items.map(({ id, status }) => [id, status]),
      [
        ["inv-2", 200],
        ["inv-1", 200],
      ],
    );
  });

  test("paging shows each of thousands of invocations once, newest first, while others are added", async (t) => {
    const { store } = await openFor(t, open);
    const at = (index: number) => 1000 + Math.floor(index / 7);
    const all = Array.from({ length: count }, (_, index) =>
      invocation({ id: `inv-${index}`, startedAt: at(index) }),
    );
    await store.recordBatch(all, []);
    const listed = await readAll(
      (cursor) => store.listInvocations({ project: "default", cursor, limit: 250 }),
      (page) => store.recordBatch([invocation({ id: `new-${page}`, startedAt: 9000 + page })], []),
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
      [
        invocation({ id: "a", startedAt: 10 }),
        invocation({ id: "b", startedAt: 20, outcome: "timeout" }),
        invocation({ id: "c", startedAt: 30, functionName: "other", outcome: "timeout" }),
        invocation({ id: "d", startedAt: 40, project: "second" }),
      ],
      [],
    );
    const ids = async (filter: Partial<InvocationQuery>) =>
      (await store.listInvocations({ project: "default", limit: 9, ...filter })).items.map(
        ({ id }) => id,
      );
    assert.deepEqual(await ids({}), ["c", "b", "a"]);
    assert.deepEqual(await ids({ functionName: "hello" }), ["b", "a"]);
    assert.deepEqual(await ids({ outcome: "timeout" }), ["c", "b"]);
    assert.deepEqual(await ids({ outcome: "timeout", functionName: "hello" }), ["b"]);
    assert.deepEqual(await ids({ since: 10, until: 30 }), ["b", "a"]);
    assert.deepEqual(await ids({ project: "second" }), ["d"]);
  });

  test("paging shows each of thousands of lines once in both directions, with growing numbers", async (t) => {
    const { store } = await openFor(t, open);
    const lines = Array.from({ length: count }, (_, index) =>
      logLine({ text: `line ${index}`, at: Math.floor(index / 100) }),
    );
    await store.recordBatch([], lines);
    const query = { project: "default", functionName: "hello", limit: 170 };
    const oldest = await readAll((cursor) => store.listLogs({ ...query, cursor }));
    assert.deepEqual(
      oldest.map(({ text }) => text),
      lines.map(({ text }) => text),
    );
    assert.ok(oldest.every(({ seq }, index) => index === 0 || seq > (oldest[index - 1]?.seq ?? 0)));
    const newest = await readAll(
      (cursor) => store.listLogs({ ...query, newestFirst: true, cursor }),
      (page) => store.recordBatch([], [logLine({ text: `new ${page}`, at: 1e6 })]),
    );
    assert.deepEqual(newest, oldest.toReversed());
    const { nextCursor } = await store.listLogs(query);
    await assert.rejects(
      store.listLogs({ ...query, newestFirst: true, cursor: nextCursor as string }),
      refusal("invalid_request", /cursor/),
    );
  });

  test("lines are filtered by invocation, time, and text in its exact case", async (t) => {
    const { store } = await openFor(t, open);
    await store.recordBatch(
      [],
      [
        logLine({ text: "100% Done", at: 1 }),
        logLine({ text: "100 done", at: 2, invocationId: "inv-2" }),
        logLine({ text: "free", at: 3, invocationId: null }),
        logLine({ text: "foreign Done", at: 4, functionName: "other" }),
      ],
    );
    const texts = async (filter: Partial<LogQuery>) => {
      const base = { project: "default", functionName: "hello", limit: 9 };
      return (await store.listLogs({ ...base, ...filter })).items.map(({ text }) => text);
    };
    assert.deepEqual(await texts({}), ["100% Done", "100 done", "free"]);
    assert.deepEqual(await texts({ invocationId: "inv-2" }), ["100 done"]);
    assert.deepEqual(await texts({ since: 2 }), ["100 done", "free"]);
    assert.deepEqual(await texts({ contains: "Done" }), ["100% Done"]);
    assert.deepEqual(await texts({ contains: "%" }), ["100% Done"]);
    assert.deepEqual(await texts({ contains: "" }), ["100% Done", "100 done", "free"]);
  });

  test("a search through many lines finds the rare ones, however many pages that takes", async (t) => {
    const { store } = await openFor(t, open);
    const lines = Array.from({ length: 45_000 }, (_, index) =>
      logLine({ text: index % 20_000 === 19_999 ? `needle ${index}` : "hay", at: index }),
    );
    await store.recordBatch([], lines);
    const found = await readAll((cursor) =>
      store.listLogs({
        project: "default",
        functionName: "hello",
        contains: "needle",
        cursor,
        limit: 1,
      }),
    );
    assert.deepEqual(
      found.map(({ text }) => text),
      ["needle 19999", "needle 39999"],
    );
  });

  test("trimming drops what is too old and what is too much, oldest first, and says how many", async (t) => {
    const { store } = await openFor(t, open);
    await store.recordBatch(
      Array.from({ length: count }, (_, index) =>
        invocation({ id: `inv-${index}`, startedAt: count - index }),
      ),
      Array.from({ length: count }, (_, index) => logLine({ text: `${index}`, at: index })),
    );
    const none = { invocationsMax: count, logsMax: count, before: 0 };
    assert.equal(await store.trimRecords(none), 0);
    assert.equal(await store.trimRecords({ ...none, before: 101 }), 100 + 101);
    assert.equal(await store.trimRecords({ invocationsMax: 10, logsMax: 20, before: 0 }), 5769);
    const kept = await store.listInvocations({ project: "default", limit: 99 });
    assert.deepEqual(
      kept.items.map(({ startedAt }) => startedAt),
      Array.from({ length: 10 }, (_, index) => count - index),
    );
    const lines = await store.listLogs({ project: "default", functionName: "hello", limit: 99 });
    assert.deepEqual([lines.items.length, lines.items[0]?.text], [20, String(count - 20)]);
    assert.equal(await store.trimRecords({ invocationsMax: 0, logsMax: 0, before: 0 }), 30);
  });
}
