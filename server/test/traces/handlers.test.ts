import assert from "node:assert/strict";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually } from "../harness.ts";
import { Collector } from "./collector.ts";

/** Each answers with the `traceparent` of its request and that of its context, where it has one. */
const kinds: Record<string, { files: Record<string, string>; runtime: "nodejs" | "python" }> = {
  fetch: {
    runtime: "nodejs",
    files: {
      "index.mjs":
        'export default { fetch: (request, context) => Response.json([request.headers.get("traceparent"), context.traceparent]) };',
    },
  },
  lambda: {
    runtime: "nodejs",
    files: {
      "index.mjs":
        "export const handler = async (event, context) => [event.headers?.traceparent ?? null, context.traceparent ?? null, context.tracestate ?? null];",
    },
  },
  "lambda-stream": {
    runtime: "nodejs",
    files: {
      "index.mjs":
        "export const handler = awslambda.streamifyResponse(async (event, stream, context) => { stream.end(JSON.stringify([event.headers?.traceparent ?? null, context.traceparent])); });",
    },
  },
  "python-lambda": {
    runtime: "python",
    files: {
      "app.py":
        "import json\ndef handler(event, context):\n    said = [event.get('headers', {}).get('traceparent') if isinstance(event, dict) else None, context.traceparent, context.tracestate]\n    return said if 'headers' not in event else {'statusCode': 200, 'body': json.dumps(said)}\n",
    },
  },
  asgi: {
    runtime: "python",
    files: {
      "app.py":
        "import json\nasync def app(scope, receive, send):\n    if scope['type'] != 'http':\n        return\n    said = json.dumps([dict(scope['headers'])[b'traceparent'].decode()]).encode()\n    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n    await send({'type': 'http.response.body', 'body': said})\n",
    },
  },
  wsgi: {
    runtime: "python",
    files: {
      "app.py":
        "import json\ndef app(environ, start_response):\n    start_response('200 OK', [])\n    return [json.dumps([environ['HTTP_TRACEPARENT']]).encode()]\n",
    },
  },
};
const eventKinds = ["lambda", "python-lambda"];
const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const parent = `00-${trace}-00f067aa0ba902b7-01`;
const handlers: Record<string, string> = { asgi: "app.app", wsgi: "app.app" };

async function deployAll(server: TestServer, names: string[]): Promise<void> {
  for (const name of names) {
    const { files, runtime } = kinds[name] as (typeof kinds)[string];
    const handler = handlers[name];
    await server.deploy(name, files, { runtime, ...(handler !== undefined && { handler }) });
  }
}

describe("with tracing on", () => {
  const collector = new Collector();
  let server: TestServer;

  before(async () => {
    await collector.start();
    server = await new TestServer({
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER_ARG: "1" },
      ISOLA_BLANK_PYTHON: "1",
    }).start();
    await deployAll(server, Object.keys(kinds));
  });

  after(async () => {
    await server.dispose();
    await collector.stop();
  });

  for (const name of Object.keys(kinds))
    test(`${name} sees the span of its run as parent, wherever it looks`, async () => {
      const answer = await server.call(`/${name}`, { headers: { traceparent: parent } });
      assert.equal(answer.status, 200, answer.text);
      const id = answer.headers.get("isola-request-id") as string;
      const { run } = await collector.spansOf(id);
      const seen = answer.json.slice(0, 2);
      assert.deepEqual(
        seen,
        seen.map(() => `00-${trace}-${run?.spanId}-01`),
      );
    });

  for (const name of eventKinds)
    test(`${name} finds it in the context of an event, which has no headers`, async () => {
      const invoked = await server.api(
        "POST",
        `/api/v1/functions/${name}/invocations`,
        { event: {} },
        { traceparent: parent, tracestate: "a=1" },
      );
      const { call, run } = await collector.spansOf(invoked.json.id);
      assert.equal(call.parentSpanId, "00f067aa0ba902b7");
      assert.equal(call.attributes["faas.trigger"], "other");
      assert.ok(!("http.request.method" in call.attributes));
      const seen = JSON.parse(invoked.json.body);
      assert.deepEqual(seen, [null, `00-${trace}-${run?.spanId}-01`, "a=1"]);
    });

  test("a request that is made through the API has the trace of its own headers, else of the API's", async () => {
    const other = parent.replace("4bf9", "1111");
    const invoke = (headers: [string, string][]) =>
      server.api(
        "POST",
        "/api/v1/functions/lambda/invocations",
        { request: { headers } },
        { traceparent: parent },
      );
    const own = await collector.spansOf((await invoke([["TraceParent", other]])).json.id);
    assert.equal(own.call.traceId, other.slice(3, 35));
    const ofApi = await collector.spansOf((await invoke([])).json.id);
    assert.equal(ofApi.call.traceId, trace);
  });

  /** What `lambda` sees, as the lines of the request have it. */
  async function seenWith(lines: string[]): Promise<[string, string, string | null]> {
    const headers = ["host", "localhost", "connection", "close", ...lines];
    const call = request(`${server.gatewayUrl}/lambda`, { headers });
    const answered = new Promise<string>((resolve, reject) => {
      call.once("response", (response) => void text(response).then(resolve, reject));
      call.once("error", reject);
    });
    call.end();
    return JSON.parse(await answered);
  }

  const zero = "0".repeat(32);
  const hostile: Record<string, string[]> = {
    "that is too long": ["traceparent", `${parent}-00`],
    "of 12,000 characters": ["traceparent", parent.repeat(218)],
    "with other digits": ["traceparent", parent.replace("4bf9", "4bfg")],
    "in capitals": ["traceparent", parent.toUpperCase()],
    "without a trace": ["traceparent", parent.replace(trace, zero)],
    "without a span": ["traceparent", parent.replace("00f067aa0ba902b7", zero.slice(16))],
    "of version ff": ["traceparent", parent.replace("00-", "ff-")],
    "that comes twice": ["traceparent", parent, "Traceparent", parent],
    "that is empty": ["traceparent", ""],
  };
  for (const [what, lines] of Object.entries(hostile))
    test(`a traceparent ${what} is left behind with its tracestate, and a trace begun`, async () => {
      const [header, context, state] = await seenWith([...lines, "tracestate", "a=1"]);
      assert.match(header, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      assert.equal(context, header);
      assert.notEqual(header.slice(3, 35), trace);
      assert.equal(state, null);
    });

  test("a tracestate that comes in several headers goes on as one, one that is not valid does not", async () => {
    const seen = (...states: string[]) =>
      seenWith(["traceparent", parent, ...states.flatMap((state) => ["tracestate", state])]);
    const [header, , state] = await seen("a=1", "b=2,c=3");
    assert.equal(header.slice(3, 35), trace);
    assert.equal(state, "a=1,b=2,c=3");
    for (const wrong of ["A=1", "a=1,".repeat(3000), "a=1,a=2"]) {
      const [kept, , none] = await seen(wrong);
      assert.equal(kept.slice(3, 35), trace);
      assert.equal(none, null);
    }
  });
});

describe("with tracing off", () => {
  let server: TestServer;

  before(async () => {
    server = await new TestServer({ ISOLA_BLANK_PYTHON: "0" }).start();
    await deployAll(server, ["lambda"]);
  });

  after(() => server.dispose());

  test("what a caller sends goes on unchanged, whatever it is, and is in no record", async () => {
    for (const sent of [parent, "anything, really"]) {
      const headers = { traceparent: sent, tracestate: "A==" };
      const answer = await server.call("/lambda", { headers });
      assert.deepEqual(answer.json, [sent, sent, "A=="]);
      const invoked = await server.api(
        "POST",
        "/api/v1/functions/lambda/invocations",
        { event: {} },
        headers,
      );
      assert.deepEqual(JSON.parse(invoked.json.body), [null, sent, "A=="]);
    }
    assert.deepEqual((await server.call("/lambda")).json, [null, null, null]);
    const { json } = await server.api("GET", "/api/v1/system");
    assert.equal(json.traces, null);
    const items = await eventually("the records", async () => {
      const page = await server.api("GET", "/api/v1/invocations");
      return page.json.items.length === 5 ? page.json.items : null;
    });
    for (const one of items) assert.deepEqual([one.traceId, one.spanId], [null, null]);
  });
});
