import assert from "node:assert/strict";
import { request } from "node:http";
import { describe, test } from "node:test";
import { createServer } from "node:net";
import { once } from "node:events";
import { type PlatformEvent, eventOf } from "../domain/events.ts";
import { readExposition, sumOf } from "../metrics/exposition/exposition-reader.fixture.ts";
import { exportedNames } from "../metrics/exposition/exported-metrics.ts";
import { batchOf, invocation } from "../store/conformance/fixture.ts";
import { type ControlFixture, openControlPlane, quiet } from "./control-plane.fixture.ts";
import { ExpositionListener } from "./exposition-listener.ts";
import { GatewayStandIn } from "./gateway-stand-in.fixture.ts";
import { LiveFunctions } from "./live-functions.ts";
import { MetricsExport } from "./metrics-export.ts";
import { Recorder } from "./recorder.ts";
import { systemClock } from "../domain/clock.ts";

const files = { "index.mjs": "export const handler = () => 1" };
const create = (plane: ControlFixture, name: string) =>
  plane.call("POST", "/api/v1/functions", { body: { name, runtime: "nodejs", code: { files } } });

async function scrape(plane: ControlFixture) {
  const answer = await plane.call("GET", "/metrics", { scope: "read" });
  assert.equal(answer.statusCode, 200, answer.body);
  return readExposition(answer.body);
}

const calls = (count: number, change: object = {}) =>
  batchOf(Array.from({ length: count }, () => invocation(change)));

describe("GET /metrics", () => {
  test("is the text format, for keys that may read and are of no project alone", async (t) => {
    const plane = await openControlPlane(t);
    const answer = await plane.call("GET", "/metrics", { scope: "read" });
    const type = "text/plain; version=0.0.4; charset=utf-8";
    assert.deepEqual([answer.statusCode, answer.headers["content-type"]], [200, type]);
    const names = new Set(readExposition(answer.body).map(({ name }) => name));
    assert.ok(names.has("isola_build_info"));
    for (const name of names) assert.ok(exportedNames.includes(name as never), name);
    assert.equal((await plane.call("GET", "/metrics", { scope: "invoke" })).statusCode, 403);
    assert.equal((await plane.call("GET", "/metrics", { scope: null })).statusCode, 401);
    await plane.call("POST", "/api/v1/projects", { body: { name: "tenant" } });
    const ofProject = { scope: "read", project: "tenant" } as const;
    assert.equal((await plane.call("GET", "/metrics", ofProject)).statusCode, 403);
  });

  test("counts each batch once, though it comes twice and its records are dropped", async (t) => {
    const plane = await openControlPlane(t);
    await create(plane, "hello");
    const batch = { ...calls(70), lost: 3 };
    await plane.recorder.record(batch);
    await plane.recorder.record(batch);
    await plane.recorder.record({ ...calls(30, { outcome: "timeout" }), lost: 0 });
    const own = { project: "default", function: "hello" };
    const check = async () => {
      const samples = await scrape(plane);
      assert.equal(sumOf(samples, "isola_invocations_total", own), 100);
      assert.equal(sumOf(samples, "isola_invocations_total", { outcome: "timeout" }), 30);
      assert.equal(sumOf(samples, "isola_invocation_errors_total", own), 30);
      assert.equal(sumOf(samples, "isola_invocation_duration_seconds_count", own), 100);
      assert.equal(sumOf(samples, "isola_records_lost_total"), 3);
    };
    await check();
    await plane.store.trimRecords({ invocationsMax: 0, before: Number.MAX_SAFE_INTEGER });
    await check();
  });

  test("counts a batch once that the store took at the second attempt", async (t) => {
    const plane = await openControlPlane(t);
    let attempts = 0;
    let added = 0;
    const store = {
      recordBatch: (batch: Parameters<typeof plane.store.recordBatch>[0]) => {
        attempts += 1;
        if (attempts === 1) throw new Error("the disk is full");
        return plane.store.recordBatch(batch);
      },
    };
    const onStored = () => (added += 1);
    const recorder = new Recorder({ store, clock: systemClock, log: quiet, onStored });
    await recorder.record({ ...calls(1), lost: 0 });
    await recorder.close();
    assert.deepEqual([attempts, added], [2, 1]);
  });

  test("gives labels to the functions that were created first, after the next start too", async (t) => {
    const plane = await openControlPlane(t, systemClock, undefined, { metricsFunctionsMax: 3 });
    for (const name of ["c", "a", "b", "d", "e"]) await create(plane, name);
    const each = ["e", "d", "c", "b", "a"].map((name) => calls(1, { functionName: name }));
    for (const batch of each) await plane.recorder.record({ ...batch, lost: 0 });
    const labelled = (samples: Awaited<ReturnType<typeof scrape>>) =>
      samples
        .filter(({ name }) => name === "isola_invocations_total")
        .map(({ labels, value }) => `${labels.function} ${value}`)
        .sort();
    const expected = ["a 1", "b 1", "c 1", "other 2"];
    assert.deepEqual(labelled(await scrape(plane)), expected);
    const next = new MetricsExport({
      ...{ gateway: new GatewayStandIn(), clock: systemClock, functionsMax: 3, version: "0" },
    });
    await LiveFunctions.open(plane.store, true, (fn) => next.onLive(fn));
    for (const batch of each) next.add(batch);
    assert.deepEqual(labelled(readExposition(next.text())), expected);
  });

  test("tells what drivers there are and how the gateway stands, and asks it once in each of its lives", async () => {
    const gateway = new GatewayStandIn();
    let asked = 0;
    const link = {
      get isConnected() {
        return gateway.isConnected;
      },
      request: ((kind: "status", params: object) => {
        asked += 1;
        return gateway.request(kind, params as never);
      }) as typeof gateway.request,
    };
    const options = { clock: systemClock, functionsMax: 3, version: "1.2.3" };
    const exported = new MetricsExport({ ...options, gateway: link });
    const values = { memoryBudget: 64, gatewayCpu: 500, lateFrames: 2, logLinesLost: 4 };
    const own = { project: "", functionName: "", functionId: "", revision: 0, driver: "" };
    const sample = { at: 1, parts: [{ ...own, values }] };
    for (let batch = 1; batch <= 3; batch += 1) {
      exported.add({ source: "a", batch, invocations: null, logs: [], samples: [sample] });
      await new Promise(setImmediate);
    }
    const samples = readExposition(exported.text());
    assert.equal(sumOf(samples, "isola_driver_available", { driver: "process" }), 1);
    assert.equal(sumOf(samples, "isola_gateway_up"), 1);
    assert.equal(sumOf(samples, "isola_memory_budget_bytes"), 64 * 2 ** 20);
    assert.equal(sumOf(samples, "isola_late_frames_total"), 6);
    assert.equal(sumOf(samples, "isola_log_lines_lost_total"), 12);
    assert.equal(sumOf(samples, "isola_process_cpu_seconds_total", { process: "gateway" }), 1.5);
    assert.equal(asked, 1);
    exported.add({ source: "b", batch: 1, invocations: null, logs: [], samples: [sample] });
    await new Promise(setImmediate);
    assert.equal(asked, 2);
    const told = (event: PlatformEvent) =>
      exported.add({ source: "b", batch: 2, invocations: null, logs: [], events: [event] });
    const health = (tier: string) =>
      sumOf(readExposition(exported.text()), "isola_driver_available", { driver: "process", tier });
    told(eventOf("driver_unavailable", 1, { driver: "process", reason: "it has gone" }));
    assert.equal(health("namespaces"), 0);
    told(eventOf("driver_available", 1, { driver: "process", tier: "none" }));
    assert.equal(health("none"), 1);
    assert.equal(asked, 2);
    gateway.isConnected = false;
    const away = readExposition(exported.text());
    assert.equal(sumOf(away, "isola_gateway_up"), 0);
    assert.ok(!away.some(({ name }) => name === "isola_memory_budget_bytes"));
    assert.equal(sumOf(away, "isola_late_frames_total"), 8);
  });
});

describe("the port for Prometheus", () => {
  test("answers GET /metrics without a key, to known hosts, and nothing else", async (t) => {
    const port = await freePort();
    const told = { host: "127.0.0.1", port, allowedHosts: ["isola.example"], text: () => "a 1\n" };
    const listener = await ExpositionListener.open(told);
    t.after(() => listener.close());
    const ask = askerOf(port);
    assert.deepEqual(await ask("GET", "/metrics"), [200, "a 1\n"]);
    assert.deepEqual(await ask("GET", "/metrics?x", "isola.example:9000"), [200, "a 1\n"]);
    const refusals = [
      ...[await ask("GET", "/"), await ask("POST", "/metrics"), await ask("HEAD", "/metrics")],
      ...[await ask("GET", "/api/v1/functions"), await ask("GET", "/metrics", "evil.example")],
    ];
    assert.deepEqual(
      refusals.map(([status]) => status),
      [404, 404, 404, 404, 403],
    );
    await assert.rejects(ExpositionListener.open(told), { code: "port_taken" });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

function askerOf(port: number) {
  return async (method: string, path: string, host = "localhost"): Promise<[number, string]> => {
    const sent = request({
      host: "127.0.0.1",
      port,
      method,
      path,
      headers: { host },
      agent: false,
    });
    sent.end();
    const [response] = await once(sent, "response");
    let text = "";
    for await (const part of response) text += part;
    return [response.statusCode, text];
  };
}
