import { strict as assert } from "node:assert";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually, gatewayOf } from "./harness.ts";

describe("callers that do what they should not", () => {
  const server = new TestServer();
  before(() => server.start());
  after(() => server.dispose());

  const send = async (text: string) => {
    const { port, hostname } = new URL(server.gatewayUrl);
    const socket = connect(Number(port), hostname);
    let got = "";
    socket.setEncoding("latin1").on("data", (piece) => {
      got += piece;
      const [head = "", body] = got.split("\r\n\r\n");
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
      if (body !== undefined && body.length >= length) socket.destroy();
    });
    socket.write(text);
    await once(socket, "close");
    return got;
  };

  for (const [what, hosts] of [
    ["an empty first one", "Host:\r\nHost: b\r\n"],
    ["Connection naming it", "Host: a\r\nConnection: close, host\r\nHost: b\r\n"],
  ] as const)
    test(`two Host headers are refused with ${what}`, async () => {
      await server.api("POST", "/api/v1/functions", {
        ...{ name: "host", runtime: "nodejs" },
        code: { files: { "index.mjs": "export default { fetch: () => new Response('x') }" } },
      });
      const answer = await send(`GET /host HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1.1 400 /);
    });

  const refused: [string, string, number][] = [
    ["no Host", "GET /x HTTP/1.1\r\n\r\n", 400],
    ["a Host that is none", 'GET /x HTTP/1.1\r\nHost: a b"<>\r\n\r\n', 400],
    ["an absolute target", "GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["an asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    [
      "both lengths",
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    [
      "two lengths",
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      400,
    ],
    [
      "another transfer-encoding",
      "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    [
      "an expectation",
      "POST /x HTTP/1.1\r\nHost: a\r\nExpect: gold\r\nContent-Length: 0\r\n\r\n",
      400,
    ],
    [
      "a WebSocket",
      "GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      400,
    ],
    ["CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["another method", "TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n", 405],
    ["headers without end", `GET /x HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(30_000)}\r\n\r\n`, 431],
    ["no HTTP", "hello\r\n\r\n", 400],
  ];
  for (const [what, text, status] of refused)
    test(`${what} is refused with ${status} and a body that says why`, async () => {
      const answer = await send(text);
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `), answer);
      assert.match(head, /\r\nisola-error: /i);
      assert.equal(typeof JSON.parse(body).error.message, "string");
    });

  test("an offer of h2c is passed over", async () => {
    await server.deploy("plain", {
      "index.mjs": "export default { fetch: () => new Response('plain') }",
    });
    const offer =
      "Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n";
    const answer = await send(`GET /plain HTTP/1.1\r\nHost: a\r\n${offer}\r\n`);
    assert.match(answer, /^HTTP\/1.1 200 [^]*plain/);
  });

  test("a caller that leaves a call which does not listen is counted once", async () => {
    const code = `export default { async fetch() {
      console.log("inside");
      await new Promise((resolve) => setTimeout(resolve, 5000));
      return new Response("late");
    } }`;
    await server.deploy("deaf", { "index.mjs": code });
    const running = async () =>
      (await server.api("GET", "/api/v1/system")).json.gateway.runningInvocations;
    const leaving = new AbortController();
    const call = server.call("/deaf", { signal: leaving.signal }).catch(() => {});
    await eventually("the call to run", async () => (await running()) === 1);
    await eventually("its line", async () => {
      const logs = await server.api("GET", "/api/v1/functions/deaf/logs");
      return logs.json.items.length > 0;
    });
    leaving.abort();
    await call;
    await eventually("the end of the call", async () => (await running()) <= 0);
    assert.equal(await running(), 0);
  });

  test("a gateway that has just been started again never says that a function does not exist", async () => {
    const code = "export default { fetch: () => new Response('here') }";
    await server.deploy("here", { "index.mjs": code });
    assert.equal((await server.call("/here")).status, 200);
    process.kill(gatewayOf(server), "SIGKILL");
    const seen = new Set<number>();
    await eventually("an answer of the function", async () => {
      try {
        const { status } = await server.call("/here");
        seen.add(status);
        return status === 200;
      } catch {
        return false; // nobody listens yet
      }
    });
    assert.ok(!seen.has(404), `statuses ${[...seen].join(", ")}`);
  });
});
