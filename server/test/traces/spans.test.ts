import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually } from "../harness.ts";
import { Collector, type Received } from "./collector.ts";

const collector = new Collector();
let server: TestServer;

before(async () => {
  await collector.start();
  server = await new TestServer({
    ISOLA_TRACES_ENDPOINT: collector.url,
    ISOLA_TRACES_HEADERS: "x-key=a%20secret",
    ISOLA_TRACES_RATIO: "1",
    OTEL_SERVICE_NAME: "shop",
  }).start();
  await server.deploy(
    "echo",
    {
      "index.mjs": `export default { async fetch(request, context) {
      const { searchParams } = new URL(request.url);
      if (searchParams.has("throw")) throw new Error("it broke");
      if (searchParams.has("fail")) return new Response("no", { status: 503 });
      if (!searchParams.has("stream")) return Response.json([request.headers.get("traceparent"), context.traceparent]);
      const bytes = new TextEncoder().encode("piece");
      return new Response(new ReadableStream({ async start(to) {
        for (let at = 0; at < 3; at += 1) { to.enqueue(bytes); await new Promise((r) => setTimeout(r, 20)); }
        to.close();
      } }));
    } };`,
    },
    { memoryMiB: 256 },
  );
  const hangs = "export default { fetch: () => new Promise(() => {}) };";
  await server.deploy("hangs", { "index.mjs": hangs }, { timeoutMs: 200 });
});

after(async () => {
  await server.dispose();
  await collector.stop();
});

let calls = 0;
/** Of the caller: its header, with ids of its own. */
function caller(flags = "01") {
  calls += 1;
  const traceId = `abcd${String(calls).padStart(28, "0")}`;
  const spanId = `0123${String(calls).padStart(12, "0")}`;
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

async function call(query: string, headers: Record<string, string> = {}, name = "echo") {
  const answer = await server.call(`/${name}${query}`, { headers });
  return { ...answer, id: answer.headers.get("isola-request-id") as string };
}

function assertWithin(inner: Received, outer: Received): void {
  assert.ok(inner.startNs >= outer.startNs, `${inner.name} begins before ${outer.name}`);
  assert.ok(inner.endNs <= outer.endNs, `${inner.name} ends after ${outer.name}`);
  assert.ok(inner.startNs <= inner.endNs);
}

function assertTree(spans: Record<string, Received>, from: ReturnType<typeof caller>): void {
  const { call: own, ...parts } = spans as Record<string, Received> & { call: Received };
  assert.equal(own.kind, 2);
  assert.equal(own.parentSpanId, from.spanId);
  for (const span of Object.values(spans)) assert.equal(span.traceId, from.traceId);
  const ids = new Set(Object.values(spans).map(({ spanId }) => spanId));
  assert.equal(ids.size, Object.keys(spans).length);
  for (const part of Object.values(parts)) {
    assert.equal(part.kind, 1);
    assertWithin(part, own);
  }
  const order = ["queue", "start", "init", "run"].flatMap((name) => parts[name] ?? []);
  for (const [at, part] of order.slice(1).entries())
    assert.ok(part.startNs >= (order[at] as Received).endNs, `${part.name} overlaps`);
}

describe("the spans of a call", () => {
  test("that is the first are those of its start, init and run, in the caller's trace", async () => {
    const from = caller();
    const { id, json } = await call("?a=b", from);
    const spans = await collector.spansOf(id);
    assertTree(spans, from);
    const { start, init, run } = spans as unknown as Record<"start" | "init" | "run", Received>;
    assert.ok(init.endNs > init.startNs);
    assert.ok(["cold", "prewarmed"].includes(start.attributes["isola.start.kind"] as string));
    assert.deepEqual(json, Array(2).fill(`00-${from.traceId}-${run.spanId}-01`));
    const { name, attributes, resource, status } = spans.call;
    assert.equal(name, "echo");
    assert.equal(attributes["faas.coldstart"], true);
    assert.equal(attributes["faas.trigger"], "http");
    assert.equal(attributes["http.request.method"], "GET");
    assert.equal(attributes["url.path"], "/echo");
    assert.equal(attributes["http.response.status_code"], 200);
    assert.equal(attributes["isola.outcome"], "ok");
    assert.match(attributes["faas.instance"] as string, /^sb-/);
    assert.deepEqual(status, { code: 0 });
    const { "service.instance.id": instance, "isola.function.id": fn, ...known } = resource;
    assert.ok(typeof instance === "string" && typeof fn === "string");
    assert.match(known["service.version"] as string, /^\d+\.\d+\.\d+/);
    assert.match(known["isola.runtime"] as string, /^nodejs/);
    delete known["service.version"];
    delete known["isola.runtime"];
    assert.deepEqual(known, {
      ...{ "service.name": "shop", "faas.name": "echo", "faas.version": "1" },
      ...{ "faas.max_memory": 256 * 2 ** 20, "isola.project": "default" },
      "isola.driver": "process",
    });
  });

  test("that finds a sandbox are its own and that of its run", async () => {
    const from = caller();
    const { id } = await call("", from);
    const spans = await collector.spansOf(id);
    assertTree(spans, from);
    assert.deepEqual(Object.keys(spans).sort(), ["call", "run"]);
    assert.equal(spans.call.attributes["faas.coldstart"], false);
    assert.equal(spans.call.attributes["isola.start.kind"], "warm");
  });

  test("that streams its answer tell when that began", async () => {
    const from = caller();
    const { id, text } = await call("?stream", from);
    assert.equal(text, "piece".repeat(3));
    const spans = await collector.spansOf(id);
    assertTree(spans, from);
    const [event] = (spans.run as Received).events;
    assert.equal(event?.name, "response started");
    const { startNs, endNs } = spans.run as Received;
    assert.ok(event.atNs >= startNs && event.atNs < endNs);
    assert.equal(spans.call.attributes["http.response.body.size"], 15);
  });

  test("that throws, or answers 5xx, have an error; so the collector shows them as failed", async () => {
    const from = caller();
    const thrown = await collector.spansOf((await call("?throw", from)).id);
    assertTree(thrown, from);
    for (const span of [thrown.call, thrown.run as Received]) {
      assert.equal(span.status.code, 2);
      assert.match(span.status.message ?? "", /it broke/);
      assert.equal(span.attributes["error.type"], "function_error");
    }
    assert.equal(thrown.call.attributes["http.response.status_code"], 500);
    const failed = await collector.spansOf((await call("?fail", caller())).id);
    assert.equal(failed.call.status.code, 2);
    assert.equal(failed.call.attributes["error.type"], "503");
    assert.equal(failed.call.attributes["isola.outcome"], "ok");
  });

  test("that runs too long end at its deadline, with an error", async () => {
    const from = caller();
    const spans = await collector.spansOf((await call("", from, "hangs")).id);
    assertTree(spans, from);
    assert.equal(spans.call.attributes["isola.outcome"], "timeout");
    assert.equal(spans.call.attributes["error.type"], "function_timeout");
    assert.equal(spans.call.status.code, 2);
    assert.ok((spans.run as Received).endNs - (spans.run as Received).startNs >= 200_000_000n);
  });

  test("without a caller's trace begin one of their own", async () => {
    const { id, json } = await call("");
    const { call: own, run } = await collector.spansOf(id);
    assert.equal(own.parentSpanId, undefined);
    assert.equal(json[0], `00-${own.traceId}-${run?.spanId}-01`);
  });
});

test("a call whose caller does not sample has no spans, and its function the caller's header", async () => {
  const from = caller("00");
  const { id, json } = await call("", { ...from, tracestate: "a=1, b=2" });
  assert.deepEqual(json, Array(2).fill(from.traceparent));
  const later = await call("", caller());
  await collector.spansOf(later.id);
  assert.ok(!collector.spans.some((span) => span.attributes["faas.invocation_id"] === id));
  const record = await server.api("GET", `/api/v1/invocations/${id}`);
  assert.equal(record.json.traceId, from.traceId, "it is found by its trace all the same");
  assert.equal(record.json.spanId, null);
});

test("an invocation says which trace and span it is, and is found by its trace", async () => {
  const from = caller();
  const { id } = await call("", from);
  const { call: own } = await collector.spansOf(id);
  const record = await server.api("GET", `/api/v1/invocations/${id}`);
  assert.equal(record.json.traceId, from.traceId);
  assert.equal(record.json.spanId, own.spanId);
  const found = await server.api("GET", `/api/v1/invocations?traceId=${from.traceId}`);
  assert.deepEqual(
    found.json.items.map((one: any) => one.id),
    [id],
  );
  const none = await server.api("GET", `/api/v1/invocations?traceId=${"9".repeat(32)}`);
  assert.deepEqual(none.json.items, []);
  assert.equal((await server.api("GET", "/api/v1/invocations?traceId=ABC")).status, 400);
});

test("the collector gets the headers of the settings, and what it took is counted", async () => {
  const { id } = await call("", caller());
  await collector.spansOf(id);
  const request = collector.requests.at(-1);
  assert.equal(request?.path, "/v1/traces");
  assert.equal(request.headers["x-key"], "a secret");
  const { traces } = await eventually("the count", async () => {
    const { json } = await server.api("GET", "/api/v1/system");
    return json.traces.callsExported > 0 ? json : null;
  });
  assert.equal(traces.callsLost, 0);
});
