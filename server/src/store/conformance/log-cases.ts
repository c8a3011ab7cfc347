import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogRecord } from "../../domain/invocation.ts";
import { levelsFrom, logLevels } from "../../domain/log-level.ts";
import type { LogQuery, StoredLog } from "../store.ts";
import {
  batchOf,
  logLine,
  openFor,
  readAll,
  refusal,
  withoutSeq,
  type OpenStore,
} from "./fixture.ts";

const count = 3000; // several statements' worth of rows
const everything = { project: "default", limit: 170 };

export function logCases(open: OpenStore): void {
  test("paging shows each of thousands of lines once in both directions, with growing numbers", async (t) => {
    const { store } = await openFor(t, open);
    const lines = Array.from({ length: count }, (_, index) =>
      logLine({ text: `line ${index}`, at: Math.floor(index / 100) }),
    );
    const stored = await store.recordBatch(batchOf([], lines));
    const oldest = await readAll((cursor) => store.listLogs({ ...everything, cursor }));
    assert.deepEqual(oldest, stored.logs, "with the numbers that were told when they were stored");
    assert.deepEqual(
      oldest.map(({ text }) => text),
      lines.map(({ text }) => text),
    );
    assert.ok(oldest.every(({ seq }, index) => index === 0 || seq > (oldest[index - 1]?.seq ?? 0)));
    const newest = await readAll(
      (cursor) => store.listLogs({ ...everything, newestFirst: true, cursor }),
      (page) => store.recordBatch(batchOf([], [logLine({ text: `new ${page}`, at: 1e6 })])),
    );
    assert.deepEqual(newest, oldest.toReversed());
  });

  test("any page leads on and back, to where the list was entered and beyond", async (t) => {
    const { store } = await openFor(t, open);
    const lines = Array.from({ length: 30 }, (_, at) => logLine({ text: String(at), at }));
    await store.recordBatch(batchOf([], lines));
    const read = async (more: Partial<LogQuery>) => {
      const page = await store.listLogs({ project: "default", limit: 5, ...more });
      return { ...page, texts: page.items.map(({ text }) => Number(text)) };
    };
    const middle = await read({ newestFirst: true, until: 20 });
    assert.deepEqual(middle.texts, [19, 18, 17, 16, 15]);
    const older = await read({ newestFirst: true, cursor: middle.nextCursor as string });
    assert.deepEqual(older.texts, [14, 13, 12, 11, 10]);
    const newer = await read({ cursor: middle.previousCursor as string });
    assert.deepEqual(newer.texts, [20, 21, 22, 23, 24]);
    const end = await read({ cursor: newer.nextCursor as string, limit: 50 });
    assert.deepEqual([end.texts, end.nextCursor], [[25, 26, 27, 28, 29], null]);
    const nothing = await read({ cursor: middle.previousCursor as string, since: 100 });
    assert.deepEqual(nothing.items, []);
    assert.equal(nothing.previousCursor, middle.previousCursor);
    assert.equal((await read({ since: 100 })).previousCursor, null);
    await assert.rejects(read({ cursor: "bm8" }), refusal("invalid_request", /cursor/));
  });

  test("lines are found by function, call, sandbox, stream, level, time and text, alone and together", async (t) => {
    const { store } = await openFor(t, open);
    const all = Array.from({ length: 600 }, (_, index) =>
      logLine({
        project: index % 13 === 0 ? "second" : "default",
        functionName: index % 3 === 0 ? "hello" : "other",
        invocationId: index % 5 === 0 ? null : `inv-${index % 7}`,
        sandboxId: `sb-${index % 4}`,
        stream: index % 2 === 0 ? "stdout" : "stderr",
        level: logLevels[index % 7] as LogRecord["level"],
        text: ["Ready", "not READY yet", "100% done", "_id \\d"][index % 4] as string,
        at: (index * 7919) % 97,
      }),
    );
    for (let at = 0; at < all.length; at += 50)
      await store.recordBatch(batchOf([], all.slice(at, at + 50)));
    const filters: Partial<LogQuery>[] = [
      {},
      { functionName: "hello" },
      { invocationId: "inv-3" },
      { sandboxId: "sb-1" },
      { stream: "stderr" },
      { levels: levelsFrom("warn") },
      { levels: levelsFrom("fatal"), functionName: "other", stream: "stdout" },
      { since: 20, until: 60 },
      { text: "ready" },
      { text: "READY Y", levels: levelsFrom("info"), since: 50 },
      { text: "%" },
      { text: "_id \\D" },
      { text: "" },
      { text: "nowhere" },
      { project: "second", functionName: "hello", text: "done" },
    ];
    for (const filter of filters)
      for (const newestFirst of [false, true]) {
        const query = { ...everything, limit: 7, ...filter, newestFirst };
        const found = await readAll((cursor) => store.listLogs({ ...query, cursor }));
        assert.deepEqual(found.map(withoutSeq), expected(all, query), JSON.stringify(query));
      }
  });

  test("text is found whatever its case and script", async (t) => {
    const { store } = await openFor(t, open);
    const texts = [
      "Größe überschritten",
      "GRÖSSE",
      "naïve",
      "ПРИВЕТ",
      "smile \u{1F600} here",
      "a\tb",
    ];
    await store.recordBatch(
      batchOf(
        [],
        texts.map((text, at) => logLine({ text, at })),
      ),
    );
    const find = async (text: string) =>
      (await store.listLogs({ ...everything, text })).items.map((line) => line.text);
    assert.deepEqual(await find("größe"), ["Größe überschritten"]);
    assert.deepEqual(await find("GRÖßE ÜBER"), ["Größe überschritten"]);
    assert.deepEqual(await find("NAÏVE"), ["naïve"]);
    assert.deepEqual(await find("привет"), ["ПРИВЕТ"]);
    assert.deepEqual(await find("\u{1F600} H"), ["smile \u{1F600} here"]);
    assert.deepEqual(await find("A\tB"), ["a\tb"]);
    assert.deepEqual(await find("gr"), ["Größe überschritten", "GRÖSSE"]);
  });

  test("a search through many lines finds the rare ones, however many pages that takes", async (t) => {
    const { store } = await openFor(t, open);
    const lines = Array.from({ length: 45_000 }, (_, index) =>
      logLine({ text: index % 20_000 === 19_999 ? `needle ${index}` : "hay", at: index }),
    );
    await store.recordBatch(batchOf([], lines));
    const query = { project: "default", text: "Needle", limit: 1 };
    for (const newestFirst of [false, true]) {
      const found = await readAll((cursor) => store.listLogs({ ...query, newestFirst, cursor }));
      const texts = found.map(({ text }) => text);
      const oldest = ["needle 19999", "needle 39999"];
      assert.deepEqual(texts, newestFirst ? oldest.toReversed() : oldest);
    }
  });

  test("what arrived behind a line comes in order of arrival, and what is too much to look at is told", async (t) => {
    const { store } = await openFor(t, open);
    const lines = Array.from({ length: 50 }, (_, index) =>
      logLine({ text: `${index}`, at: 100 - index, functionName: index % 2 ? "odd" : "even" }),
    );
    const { logs } = await store.recordBatch(batchOf([], lines));
    const [tenth, last] = [logs[9] as StoredLog, logs[49] as StoredLog];
    const odd = { project: "default", functionName: "odd" };
    const near = await store.logsBehind(odd, { seq: tenth.seq, linesMax: 100 });
    assert.deepEqual(
      near.items,
      logs.slice(10).filter((_, at) => at % 2 === 1),
    );
    assert.deepEqual([near.last, near.passedOver], [last.seq, 0]);
    const far = await store.logsBehind(odd, { seq: tenth.seq, linesMax: 4 });
    assert.deepEqual(
      far.items.map(({ text }) => text),
      ["47", "49"],
    );
    assert.deepEqual([far.last, far.passedOver], [last.seq, 36]);
    const none = await store.logsBehind(odd, { seq: last.seq, linesMax: 4 });
    assert.deepEqual(none, { items: [], last: last.seq, passedOver: 0 });
    const ahead = await store.logsBehind(odd, { seq: last.seq + 9, linesMax: 4 });
    assert.deepEqual(ahead, { items: [], last: last.seq + 9, passedOver: 0 });
  });
}

function expected(all: readonly LogRecord[], query: LogQuery): LogRecord[] {
  const { since = -Infinity, until = Infinity, text = "", levels = logLevels } = query;
  const found = all
    .filter((one) => one.project === query.project)
    .filter((one) => query.functionName === undefined || one.functionName === query.functionName)
    .filter((one) => query.invocationId === undefined || one.invocationId === query.invocationId)
    .filter((one) => query.sandboxId === undefined || one.sandboxId === query.sandboxId)
    .filter((one) => query.stream === undefined || one.stream === query.stream)
    .filter((one) => levels.includes(one.level) && one.at >= since && one.at < until)
    .filter((one) => one.text.toLowerCase().includes(text.toLowerCase()))
    .toSorted((a, b) => a.at - b.at);
  return query.newestFirst ? found.toReversed() : found;
}
