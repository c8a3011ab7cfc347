import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Socket, connect } from "node:net";
import { type TestContext, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@isola/api/client";
import { type TailEvent, tailOf } from "@isola/api/event-stream";
import type { LogLineView } from "@isola/api/logs";
import type { LogRecord } from "../domain/invocation.ts";
import { batchOf, logLine } from "../store/conformance/fixture.ts";
import { type ControlFixture, openControlPlane } from "./control-plane.fixture.ts";

const url = "/api/v1/logs";

async function openPlane(t: TestContext) {
  const plane = await openControlPlane(t);
  const body = { name: "hello", runtime: "nodejs", code: { files: { "index.mjs": "" } } };
  assert.equal((await plane.call("POST", "/api/v1/functions", { body })).statusCode, 201);
  return plane;
}

function record(plane: ControlFixture, ...lines: Partial<LogRecord>[]): Promise<void> {
  return plane.recorder.record({ ...batchOf([], lines.map(logLine)), lost: 0 });
}

async function listed(plane: ControlFixture, query: string, path = url) {
  const answer = await plane.call("GET", `${path}?${query}`, { scope: "read" });
  return answer.json<{ items: LogLineView[]; previousCursor: string; nextCursor: string }>();
}

describe("the list of log lines", () => {
  test("spans functions, with the level and message that each line names, and every filter", async (t) => {
    const plane = await openPlane(t);
    await record(
      plane,
      { at: 1, text: "plain" },
      { at: 2, text: '{"level":50,"msg":"broken"}', stream: "stderr", invocationId: "inv-2" },
      { at: 3, text: "WARN: slow", functionName: "other", sandboxId: "sb-2" },
      { at: 4, text: "with\0NUL", level: "none" },
    );
    const all = await listed(plane, "");
    assert.deepEqual(
      all.items.map(({ functionName, level, message }) => [functionName, level, message]),
      [
        ["hello", "info", null],
        ["hello", "error", "broken"],
        ["other", "warn", null],
        ["hello", "none", null],
      ],
    );
    assert.equal(all.items[3]?.text, "with\ufffdNUL");
    const times = async (query: string, path?: string) =>
      (await listed(plane, query, path)).items.map(({ at }) => Date.parse(at));
    assert.deepEqual(await times("level=warn"), [2, 3]);
    assert.deepEqual(await times("level=none"), [1, 2, 3, 4]);
    assert.deepEqual(await times("function=other"), [3]);
    assert.deepEqual(await times("stream=stderr"), [2]);
    assert.deepEqual(await times("sandbox=sb-2"), [3]);
    assert.deepEqual(await times("invocation=inv-2"), [2]);
    assert.deepEqual(await times("text=SLOW"), [3]);
    assert.deepEqual(await times("since=2&until=4&order=newest"), [3, 2]);
    assert.deepEqual(await times("", "/api/v1/functions/hello/logs"), [1, 2, 4]);
    const { items, nextCursor } = await listed(plane, "limit=2&order=newest");
    const [newest] = items;
    assert.deepEqual(await times(`cursor=${nextCursor}`), [4], "the other way from there");
    assert.equal(newest?.text, "with\ufffdNUL");
    for (const wrong of ["level=loud", "stream=x", "cursor=x", "function=A", "since=x"])
      assert.equal((await plane.call("GET", `${url}?${wrong}`)).statusCode, 400, wrong);
    const nowhere = await plane.call("GET", "/api/v1/functions/nothing/logs");
    assert.equal(nowhere.statusCode, 404);
  });
});

/** A client of the plane on a port, with a key of its own. */
async function connected(t: TestContext, plane: ControlFixture, project?: string) {
  const address = plane.app.server.listening
    ? (plane.app.server.address() as AddressInfo)
    : new URL(await plane.app.listen({ port: 0, host: "127.0.0.1" }));
  const port = Number(address.port);
  const body = { name: "tail", scopes: ["read"], ...(project && { project }) };
  const { id, key } = (await plane.call("POST", "/api/v1/keys", { body })).json();
  const stop = new AbortController();
  t.after(() => stop.abort());
  const client = createClient({ url: `http://127.0.0.1:${port}`, apiKey: key });
  return { client, port, keyId: id as string, key: key as string, signal: stop.signal };
}

async function take<T>(tail: AsyncGenerator<TailEvent<T>>, count: number) {
  const events: TailEvent<T>[] = [];
  for (let at = 0; at < count; at += 1) {
    const { value, done } = await tail.next();
    if (done) break;
    events.push(value);
  }
  return events;
}

const textsOf = (events: TailEvent<LogLineView>[]) =>
  events.map((event) => (event.type === "item" ? event.item.text : event));

describe("a live tail", { timeout: 60_000 }, () => {
  test("gives what is stored from then on and is asked for, once each, and goes on behind its last id", async (t) => {
    const plane = await openPlane(t);
    const { client, signal } = await connected(t, plane);
    await record(plane, { text: "before" });
    const tail = await client.tailLogs({ level: "warn", text: "X" }, { signal });
    const batch = {
      ...batchOf([], [logLine({ text: "ERROR x1" }), logLine({ text: "x2" })]),
      lost: 0,
    };
    await plane.recorder.record(batch);
    await plane.recorder.record(batch);
    await record(plane, { text: "y", level: "error" }, { text: 'ERROR: a\n\ndata: {"x":1}\r\n' });
    const events = await take(tail, 2);
    assert.deepEqual(textsOf(events), ["ERROR x1", 'ERROR: a\n\ndata: {"x":1}\r\n']);
    await tail.return(undefined);
    const [first] = events;
    assert.equal(first?.type, "item");
    const lastEventId = first?.type === "item" ? first.item.id : "";
    const again = await client.tailLogs({ function: "hello" }, { signal, lastEventId });
    await record(plane, { text: "new" }, { text: "foreign", functionName: "other" });
    assert.deepEqual(textsOf(await take(again, 4)), [
      "x2",
      "y",
      'ERROR: a\n\ndata: {"x":1}\r\n',
      "new",
    ]);
    const events2 = await client.tailEvents({ kind: ["function_deleted"] }, { signal });
    await plane.call("DELETE", "/api/v1/functions/hello");
    const [deleted] = await take(events2, 1);
    assert.equal(deleted?.type === "item" && deleted.item.message, "hello was deleted");
  });

  test("ends within moments of the end of its key", async (t) => {
    const plane = await openPlane(t);
    const { client, keyId, signal } = await connected(t, plane);
    const other = await connected(t, plane);
    const tail = await client.tailLogs({}, { signal });
    const kept = await other.client.tailLogs({}, { signal });
    await plane.call("DELETE", `/api/v1/keys/${keyId}`);
    const [end] = await take(tail, 1);
    assert.match(end?.type === "end" ? end.reason : "", /was revoked/);
    assert.equal((await tail.next()).done, true);
    await assert.rejects(client.tailLogs({}, { signal }), { status: 401 });
    await record(plane, { text: "still" });
    assert.deepEqual(textsOf(await take(kept, 1)), ["still"]);
  });

  test("of a browser ends with its session", async (t) => {
    const plane = await openPlane(t);
    const { port, key, signal } = await connected(t, plane);
    const base = `http://127.0.0.1:${port}`;
    const json = { "content-type": "application/json", origin: base };
    const opened = await fetch(`${base}/api/v1/session`, {
      ...{ method: "POST", headers: json, body: JSON.stringify({ key }) },
    });
    const cookie = (opened.headers.get("set-cookie") ?? "").split(";")[0] as string;
    const headers = { cookie, accept: "text/event-stream" };
    const tail = tailOf<LogLineView>(await fetch(base + url, { headers, signal }));
    await record(plane, { text: "seen" });
    assert.deepEqual(textsOf(await take(tail, 1)), ["seen"]);
    await fetch(`${base}/api/v1/session`, { method: "DELETE", headers: { cookie, origin: base } });
    const [end] = await take(tail, 1);
    assert.deepEqual(end, { type: "end", reason: "the session has ended" });
  });

  test("shows a key of a project nothing of others or of the platform", async (t) => {
    const plane = await openPlane(t);
    await plane.call("POST", "/api/v1/projects", { body: { name: "second" } });
    const { client, signal } = await connected(t, plane, "second");
    const [logs, events] = [
      await client.tailLogs({}, { signal }),
      await client.tailEvents({}, { signal }),
    ];
    await record(plane, { text: "foreign" }, { text: "own", project: "second" });
    assert.deepEqual(textsOf(await take(logs, 1)), ["own"]);
    await plane.call("DELETE", "/api/v1/functions/hello");
    const body = { name: "own", runtime: "nodejs", code: { files: { "index.mjs": "" } } };
    await plane.call("POST", "/api/v1/functions?project=second", { body });
    const [created] = await take(events, 1);
    assert.equal(created?.type === "item" && created.item.message, "own was created");
    const kinds = (await client.listEvents()).items.map(({ kind }) => kind);
    assert.deepEqual(kinds, ["function_created"]);
    const texts = (await client.listAllLogs()).items.map(({ text }) => text);
    assert.deepEqual(texts, ["own"]);
    const all = (await plane.call("GET", "/api/v1/events")).json();
    assert.ok(all.items.some(({ kind }: { kind: string }) => kind === "function_deleted"));
  });

  test("does not begin without a place, or with what only a list can give; ends free places", async (t) => {
    const plane = await openPlane(t);
    const { client, signal } = await connected(t, plane);
    const tails = [];
    for (let at = 0; at < 16; at += 1) tails.push(await client.tailLogs({}, { signal }));
    await assert.rejects(client.tailLogs({}, { signal }), { status: 429 });
    const first = tails[0] as AsyncGenerator<unknown>;
    // Nothing has been read of it yet, so it is ended by what it gives.
    await record(plane, { text: "one" });
    await first.next();
    await first.return(undefined);
    const isFree = async () => {
      const { logs } = (await plane.call("GET", "/api/v1/system")).json();
      return logs.tails === 15;
    };
    for (let turn = 0; turn < 200 && !(await isFree()); turn += 1) await delay(20);
    await client.tailLogs({}, { signal });
    for (const query of [{ limit: 5 }, { order: "newest" }, { since: 5 }])
      await assert.rejects(client.tailLogs(query as object, { signal }), { status: 400 });
    const lastEventId = "x";
    await assert.rejects(client.tailLogs({}, { signal, lastEventId }), /last-event-id/);
  });

  test("leaves out and counts what a slow reader does not take, and holds little for it", async (t) => {
    const plane = await openPlane(t);
    const { port, key } = await connected(t, plane);
    const socket = connect(port, "127.0.0.1");
    t.after(() => socket.destroy());
    await once(socket, "connect");
    const head = `GET ${url} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\nauthorization: Bearer ${key}\r\n\r\n`;
    socket.write(head);
    await once(socket, "readable");
    const count = 4000;
    const text = "x".repeat(10_000);
    for (let at = 0; at < count; at += 100)
      await record(
        plane,
        ...Array.from({ length: 100 }, (_, of) => ({ text: `${at + of} ${text}` })),
      );
    const { received, dropped } = await readToEnd(socket, count);
    assert.ok(dropped > 0, "a reader that takes nothing cannot have everything");
    assert.equal(received.length + dropped, count);
    assert.deepEqual(
      received,
      received.toSorted((a, b) => a - b),
    );
    assert.ok(received.length * text.length < 30 * 1_048_576, `${received.length} lines were held`);
  });
});

/** Reads what waits, until all lines are accounted for. */
async function readToEnd(socket: Socket, count: number) {
  let rest = "";
  const received: number[] = [];
  let dropped = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const data = JSON.parse(line.slice(6)) as { text?: string; count?: number };
      if (data.text !== undefined) received.push(Number(data.text.split(" ")[0]));
      dropped += data.count ?? 0;
    }
    if (received.length + dropped >= count) return { received, dropped };
  }
  throw new Error("the tail ended early");
}
