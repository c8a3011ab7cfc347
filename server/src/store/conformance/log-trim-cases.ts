import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../store.ts";
import { batchOf, logLine, openFor, readAll, type OpenStore } from "./fixture.ts";

const count = 2500; // several steps
const unbounded = { linesMax: 1e9, bytesMax: 1e12, before: 0 };

export function logTrimCases(open: OpenStore): void {
  test("lines are dropped by age, number and size, in the order they came", async (t) => {
    const { store } = await openFor(t, open);
    const lines = Array.from({ length: count }, (_, at) =>
      logLine({ text: "ü".repeat(50), at: at + 1 }),
    );
    await store.recordBatch(batchOf([], lines));
    const { bytes } = await store.logTotals();
    const each = bytes / count;
    assert.ok(each > 100 && each < 1000, `${each} bytes for a line with 100 bytes of text`);

    assert.equal(await store.trimLogs(unbounded), 0);
    assert.equal(await store.trimLogs({ ...unbounded, before: 101 }), 100);
    assert.deepEqual(await timesOf(store), [101, count]);
    assert.equal(await store.trimLogs({ ...unbounded, linesMax: 2000 }), 400);
    assert.equal(await store.trimLogs({ ...unbounded, bytesMax: each * 300 + each / 2 }), 1700);
    assert.deepEqual(await timesOf(store), [count - 299, count]);
    assert.deepEqual(await store.logTotals(), { lines: 300, bytes: each * 300 });
    assert.equal(await store.trimLogs({ ...unbounded, linesMax: 0 }), 300);
    assert.deepEqual(await store.logTotals(), { lines: 0, bytes: 0 });
    assert.equal(await store.trimLogs(unbounded), 0);
  });

  test("a line that came late does not keep those before it", async (t) => {
    const { store } = await openFor(t, open);
    const lines = [10, 500, 20, 600].map((at) => logLine({ text: String(at), at }));
    await store.recordBatch(batchOf([], lines));
    assert.equal(await store.trimLogs({ ...unbounded, before: 100 }), 1);
    assert.equal(await store.trimLogs({ ...unbounded, before: 550 }), 2);
    assert.deepEqual(await timesOf(store), [600, 600]);
  });

  test("a batch that comes twice counts once, and the numbers of dropped lines are not used again", async (t) => {
    const { store, reopen } = await openFor(t, open);
    const batch = batchOf([], [logLine(), logLine()]);
    const first = await store.recordBatch(batch);
    assert.deepEqual((await store.recordBatch(batch)).logs, []);
    assert.equal((await store.logTotals()).lines, 2);
    await store.trimLogs({ ...unbounded, linesMax: 0 });
    await store.close();
    const again = await reopen();
    const second = await again.recordBatch(batchOf([], [logLine()]));
    assert.ok((second.logs[0]?.seq ?? 0) > (first.logs[1]?.seq ?? 0));
    assert.equal((await again.logTotals()).lines, 1);
  });
}

async function timesOf(store: Store): Promise<unknown[]> {
  const query = { project: "default", limit: 5000 };
  const lines = await readAll((cursor) => store.listLogs({ ...query, cursor }));
  return [lines[0]?.at, lines.at(-1)?.at];
}
