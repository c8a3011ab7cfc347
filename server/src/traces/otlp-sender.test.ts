import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, afterEach, before, describe, test } from "node:test";
import { Collector, taking } from "../../test/traces/collector.ts";
import { otlpSender } from "./otlp-sender.ts";
import { tracedRecord } from "./testing-record.fixture.ts";
import type { TraceSender } from "./trace-export.ts";

const collector = new Collector();
let sender: TraceSender;

before(async () => {
  await collector.start();
  sender = await open(collector.url);
});

afterEach(() => {
  collector.answer = taking;
});

after(() => collector.stop());

function open(endpoint: string, timeoutMs = 300): Promise<TraceSender> {
  const about = { serviceName: "isola", version: "1.2.3", nodeId: "node-1" };
  return otlpSender({ endpoint, headers: { "x-key": "k" }, ...about, timeoutMs });
}

const answering = (status: number, headers: Record<string, string> = {}) => {
  collector.answer = (_request, response) => response.writeHead(status, headers).end("{}");
};

describe("spans that are sent", () => {
  test("arrive as they are, calls of one revision under one resource", async () => {
    const parentSpanId = "00f067aa0ba902b7";
    const { trace, ...record } = tracedRecord({ startedAt: 1_700_000_000_001, totalMs: 1.25 });
    assert.ok(trace);
    await sender.send([
      { ...record, runMs: 1.125, trace: { ...trace, parentSpanId } },
      tracedRecord({ revision: 2, memoryMiB: null }),
    ]);
    const [call, run, other] = collector.spans.splice(0);
    assert.ok(call && run && other);
    assert.equal(call.startNs, 1_700_000_000_001_000_000n);
    assert.equal(call.endNs - call.startNs, 1_250_000n);
    assert.equal(run.endNs - run.startNs, 1_125_000n);
    assert.equal(call.parentSpanId, parentSpanId);
    assert.equal(call.flags, 0x301, "sampled, its parent remote");
    assert.equal(run.flags, 0x101);
    assert.equal(run.spanId, trace.runSpanId);
    assert.equal(call.resource["faas.max_memory"], 128 * 2 ** 20);
    assert.equal(other.resource["faas.version"], "2");
    assert.ok(!("faas.max_memory" in other.resource));
    assert.equal(collector.requests.at(-1)?.headers["x-key"], "k");
  });

  test("are refused where the collector says so", async () => {
    for (const status of [400, 401, 404, 413, 500, 301]) {
      answering(status);
      await assert.rejects(sender.send([tracedRecord()]), `${status}`);
    }
  });

  test("are sent again to a collector that is overloaded, and then given up", async () => {
    let requests = 0;
    collector.answer = (request, response) => {
      requests += 1;
      if (requests === 1) response.writeHead(503, { "retry-after": "1" }).end();
      else taking(request, response);
    };
    const patient = await open(collector.url, 5000);
    await patient.send([tracedRecord()]);
    assert.equal(requests, 2);
    answering(429, { "retry-after": "3600" });
    await assert.rejects(sender.send([tracedRecord()]));
  });

  test("are given up where a collector hangs, trickles, cuts off or is away", async () => {
    const open_: ServerResponse[] = [];
    const trickle = (response: ServerResponse) => {
      const timer = setInterval(() => response.write(" "), 20);
      response.once("close", () => clearInterval(timer));
    };
    collector.answer = (_request, response) => void open_.push(response);
    await assert.rejects(sender.send([tracedRecord()]));
    collector.answer = (_request, response) => {
      open_.push(response.writeHead(200));
      trickle(response);
    };
    await assert.rejects(sender.send([tracedRecord()]), /no whole answer/);
    collector.answer = (request) => request.socket.destroy();
    await assert.rejects(sender.send([tracedRecord()]));
    for (const response of open_) response.destroy();
    const away = await open("http://127.0.0.1:9");
    await assert.rejects(away.send([tracedRecord()]), /ECONNREFUSED/);
  });

  test("are taken where the answer is of no kind that is known", async () => {
    collector.answer = (_request, response) => response.writeHead(200).end("<html>");
    await sender.send([tracedRecord()]);
  });
});
