import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InvocationRecord, LogRecord } from "../domain/invocation.ts";
import { systemClock } from "../domain/clock.ts";
import { chunkOf } from "../records/chunk-writer.ts";
import { openControlPlane, quiet } from "./control-plane.fixture.ts";
import { Recorder } from "./recorder.ts";

const files = { "index.mjs": "export const handler = () => 1" };
const hello = { name: "hello", runtime: "nodejs", code: { files } };
const url = "/api/v1/functions/hello/invocations";

function record(at: number, functionName = "hello"): InvocationRecord {
  return {
    ...{ id: `inv-${functionName}-${at}`, project: "default", functionName, functionId: "fn-1" },
    ...{ revision: 1, driver: "process", runtime: "nodejs26", startKind: "warm" },
    ...{ sandboxId: "sb-1", outcome: at % 2 === 0 ? "ok" : "timeout", errorCode: null },
    ...{ errorMessage: null, status: 200, method: "GET", path: "/", startedAt: 1000 + at },
    ...{ totalMs: 1.5, queueMs: 0, startMs: null, initMs: null, runMs: 1, requestBytes: 0 },
    ...{ killMs: null, responseBytes: 2, responseMs: 0, cpuMs: null, memoryPeakBytes: null },
    trace: null,
    memoryMiB: 128,
  };
}

function line(at: number): LogRecord {
  return {
    ...{ project: "default", functionName: "hello", functionId: "fn-1", revision: 1 },
    ...{ invocationId: `inv-hello-${at}`, sandboxId: "sb-1", at: 1000 + at, stream: "stdout" },
    ...{ level: "info", text: `<b>line ${at}</b>`, truncated: false },
  };
}

describe("an invocation through the API", () => {
  test("goes to the gateway as event or as request, and answers with what came back", async (t) => {
    const plane = await openControlPlane(t);
    await plane.call("POST", "/api/v1/functions", { body: hello });
    const invoke = async (body: object) => plane.call("POST", url, { body, scope: "invoke" });
    assert.equal((await invoke({ event: { a: [1, null] } })).json().body, '{"a":[1,null]}');
    assert.equal((await invoke({ event: null })).json().body, "null");
    const request = { path: "/x?y=1", headers: [["X-A", "1"]], body: "é" };
    assert.equal((await invoke({ request })).json().body, "é");
    const bytes = await invoke({ request: { bodyBase64: "/w==" } });
    assert.deepEqual([bytes.json().body, bytes.json().bodyBase64], [null, "/w=="]);
    await invoke({ request: {} });
    const sent = plane.gateway.invoked.map(({ kind, method, target, headers }) => ({
      ...{ kind, method, target, headers },
    }));
    assert.deepEqual(sent.slice(2), [
      { kind: "http", method: "POST", target: "/x?y=1", headers: [["x-a", "1"]] },
      { kind: "http", method: "POST", target: "/", headers: [] },
      { kind: "http", method: "GET", target: "/", headers: [] },
    ]);
    assert.equal(sent[0]?.kind, "event");
  });

  test("takes an event with members of any name, which nothing else may have", async (t) => {
    const plane = await openControlPlane(t);
    await plane.call("POST", "/api/v1/functions", { body: hello });
    const event = JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":2}}');
    const { body } = (await plane.call("POST", url, { body: { event } })).json();
    assert.equal(body, JSON.stringify(event));
    for (const odd of [{ ...event, event: 1 }, { request: event }])
      assert.equal((await plane.call("POST", url, { body: odd })).statusCode, 400);
    const patched = await plane.call("PATCH", "/api/v1/functions/hello", { body: event });
    assert.equal(patched.statusCode, 400);
    assert.match(patched.json().error.message, /__proto__/);
  });

  test("of a wrong shape, or of a function that is not there, never reaches the gateway", async (t) => {
    const plane = await openControlPlane(t);
    await plane.call("POST", "/api/v1/functions", { body: hello });
    for (const body of [
      ...[{}, { event: 1, request: {} }, { request: { path: "x" } }, { request: { path: "/\n" } }],
      ...[{ request: { method: "FETCH" } }, { request: { body: "", bodyBase64: "" } }],
      ...[{ request: { bodyBase64: "?" } }, { request: { headers: [["a b", "c"]] } }],
      ...[{ request: { headers: [["a", "b\r\nc: d"]] } }, { request: { headers: [["a"]] } }],
    ])
      assert.equal((await plane.call("POST", url, { body })).statusCode, 400, JSON.stringify(body));
    const nowhere = "/api/v1/functions/nothing/invocations";
    assert.equal((await plane.call("POST", nowhere, { body: { event: 1 } })).statusCode, 404);
    assert.deepEqual(plane.gateway.invoked, []);
  });
});

describe("records", () => {
  test("are listed by page and filter, with the logs of each", async (t) => {
    const plane = await openControlPlane(t);
    await plane.call("POST", "/api/v1/functions", { body: hello });
    const recorder = new Recorder({ store: plane.store, clock: systemClock, log: quiet });
    const invocations = [0, 1, 2, 3].map((at) => record(at));
    invocations.push(record(9, "other"));
    const logs = [0, 1, 2, 3].map(line);
    await recorder.record({
      ...{ source: "gateway", batch: 1, lost: 0 },
      ...{ invocations: chunkOf(invocations), logs },
    });
    const idsOf = async (path: string) =>
      (await plane.call("GET", path, { scope: "read" }))
        .json<{ items: { id: string }[] }>()
        .items.map(({ id }) => id.replace("inv-", ""));
    assert.deepEqual(await idsOf(`${url}?limit=2`), ["hello-3", "hello-2"]);
    assert.deepEqual(await idsOf(`${url}?outcome=timeout`), ["hello-3", "hello-1"]);
    const either = `${url}?outcome=timeout&outcome=ok`;
    assert.deepEqual((await idsOf(either)).length, 4);
    assert.equal((await plane.call("GET", `${url}?outcome=none`)).statusCode, 400);
    assert.deepEqual(await idsOf(`${url}?since=1002`), ["hello-3", "hello-2"]);
    assert.deepEqual(await idsOf("/api/v1/invocations?limit=1"), ["other-9"]);
    assert.equal((await idsOf("/api/v1/invocations?function=hello")).length, 4);

    const one = (await plane.call("GET", "/api/v1/invocations/inv-hello-2")).json();
    assert.equal(one.startedAt, "1970-01-01T00:00:01.002Z");
    assert.deepEqual(
      one.logs.map((log: { text: string }) => log.text),
      ["<b>line 2</b>"],
    );
    assert.equal((await plane.call("GET", "/api/v1/invocations/inv-x")).statusCode, 404);

    const textsOf = async (query: string) =>
      (await plane.call("GET", `/api/v1/functions/hello/logs?${query}`))
        .json<{ items: { text: string }[] }>()
        .items.map(({ text }) => text.replace(/\D/g, ""));
    assert.deepEqual(await textsOf("limit=2"), ["0", "1"]);
    assert.deepEqual(await textsOf("order=newest&limit=2"), ["3", "2"]);
    assert.deepEqual(await textsOf("text=LINE%202"), ["2"]);
    assert.deepEqual(await textsOf("invocation=inv-hello-1"), ["1"]);
  });
});
