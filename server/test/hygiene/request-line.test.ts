import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { RawCaller, exchange } from "./raw-client.ts";
import { WitnessServer, assertRefusal, lastRequest, reportOf } from "./witness.ts";

const withHost = (line: string) => `${line}\r\nHost: a\r\n\r\n`;

const refusedLines: [what: string, line: string][] = [
  ...["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0", "HTTP/1.10", "HTTP/01.1", "HTTP/1,1"].map(
    version,
  ),
  ...[
    "http/1.1",
    "HTTP/1",
    "HTTP/1.",
    "HTTP/",
    "HTTP",
    "ICE/1.0",
    "HTTP/1.1 ",
    "HTTP/1.1\t",
    "HTTP/1.1 x",
  ].map(version),
  ["no version", "GET /witness/x"],
  ["nothing but a method", "GET"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0"],
  ["tabs between the words", "GET\t/witness/x\tHTTP/1.1"],
  ["a tab before the version", "GET /witness/x\tHTTP/1.1"],
  ["a space in the target", "GET /witness/x y HTTP/1.1"],
  ["a space before the method", " GET /witness/x HTTP/1.1"],
  ["a form feed", "GET\x0c/witness/x HTTP/1.1"],
  ...[
    "get",
    "Get",
    "FOO",
    "GETGET",
    "G@T",
    "GE\tT",
    "GET\0",
    "\0GET",
    "G\xcbT",
    "GET:",
    "(GET)",
    "",
  ].map(method),
  ["an absolute target", "GET http://a/witness/x HTTP/1.1"],
  ["an absolute target of another scheme", "GET ftp://a/witness/x HTTP/1.1"],
  ["an authority as target", "GET a:80 HTTP/1.1"],
  ["an asterisk as target", "OPTIONS * HTTP/1.1"],
  ["a target without its slash", "GET witness/x HTTP/1.1"],
  ["a target that is a query", "GET ?x HTTP/1.1"],
  ["CONNECT to an authority", "CONNECT a:80 HTTP/1.1"],
  ["CONNECT to a path", "CONNECT /witness/x HTTP/1.1"],
];

function version(text: string): [string, string] {
  return [`the version ${JSON.stringify(text)}`, `GET /witness/x ${text}`];
}

function method(text: string): [string, string] {
  return [`the method ${JSON.stringify(text)}`, `${text} /witness/x HTTP/1.1`];
}

const hosts: [what: string, hosts: string][] = [
  ["none", ""],
  ["an empty one", "Host:\r\n"],
  ["two", "Host: a\r\nHost: b\r\n"],
  ["two that are equal", "Host: a\r\nHost: a\r\n"],
  ["an empty one before another", "Host:\r\nHost: b\r\n"],
  ["two, one in capitals", "HOST: a\r\nhost: b\r\n"],
  ["one that Connection names", "Host: a\r\nConnection: close, host\r\n"],
  ...[
    "u@a",
    "u:p@a",
    "a/b",
    "a\\b",
    "a b",
    "a,b",
    "a?",
    "a#",
    "a%20",
    'a"',
    "a<b>",
    "a\xe9",
    "a;b",
  ].map(host),
  ...[
    "a:",
    "a:b",
    "a:-1",
    "a:99999",
    "a:80:80",
    ":80",
    "[::1",
    "::1",
    "[::1]x",
    "[g]",
    "256.256.256.256",
  ].map(host),
  ...["http://a", "a".repeat(256)].map(host),
];

function host(text: string): [string, string] {
  return [JSON.stringify(text.slice(0, 30)), `Host: ${text}\r\n`];
}

const last = ["GET", "/last", ""];
const x = ["GET", "/x", ""];
/** With the calls that reach the function, and the statuses that the caller sees; the last request comes after each. */
const taken: [what: string, bytes: string, calls: string[][], statuses: number[]][] = [
  ["two spaces between the words", withHost("GET  /witness/x  HTTP/1.1"), [x, last], [200, 200]],
  [
    "empty lines before it",
    `\r\n\r\n${withHost("GET /witness/x HTTP/1.1")}`,
    [x, last],
    [200, 200],
  ],
  ["HTTP/1.0", withHost("GET /witness/x HTTP/1.0"), [x], [200]],
  ["HTTP/1.0 without Host", "GET /witness/x HTTP/1.0\r\n\r\n", [x], [200]],
  [
    "HTTP/1.0 that stays and goes",
    "GET /witness/x HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
    [x],
    [200],
  ],
  [
    "HTTP/1.0 with a body",
    "POST /witness/x HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
    [["POST", "/x", "abc"]],
    [200],
  ],
  [
    "HTTP/1.0 with an expectation",
    "POST /witness/x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    [["POST", "/x", "abc"]],
    [200],
  ],
  [
    "Connection: close",
    "GET /witness/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    [x],
    [200],
  ],
  [
    "Connection: Close among others",
    "GET /witness/x HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
    [x],
    [200],
  ],
  [
    "Connection: close before a body",
    "POST /witness/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
    [["POST", "/x", "abc"]],
    [200],
  ],
  [
    "an offer of h2c",
    "GET /witness/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n",
    [x],
    [200],
  ],
  [
    "an offer of h2c with a body",
    "POST /witness/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
    [["POST", "/x", "abc"]],
    [200],
  ],
  [
    "an offer of TLS",
    "GET /witness/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n",
    [x],
    [200],
  ],
  [
    "a WebSocket",
    "GET /witness/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    [],
    [400],
  ],
  [
    "a WebSocket among others",
    "GET /witness/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c, WebSocket\r\n\r\n",
    [],
    [400],
  ],
  [
    "a WebSocket with a body",
    "POST /witness/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc",
    [],
    [400],
  ],
  ...["TRACE", "PURGE", "PROPFIND", "QUERY", "MKCOL", "M-SEARCH"].map(unknown),
  [
    "an unknown method with a body",
    "QUERY /witness/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    [],
    [405],
  ],
  ["another protocol's method", "SOURCE /witness/x ICE/1.0\r\nHost: a\r\n\r\n", [], [405]],
  ...["GET", "HEAD", "DELETE", "OPTIONS", "PUT", "PATCH"].map(bodied),
];

function unknown(text: string): [string, string, string[][], number[]] {
  return [text, withHost(`${text} /witness/x HTTP/1.1`), [last], [405, 200]];
}

function bodied(text: string): [string, string, string[][], number[]] {
  const bytes = `${text} /witness/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`;
  return [`${text} with a body`, bytes, [[text, "/x", "abc"], last], [200, 200]];
}

describe("a request whose first lines are odd", () => {
  const server = new WitnessServer();
  before(() => server.start());
  after(() => server.dispose());

  const assertRefused = async (bytes: string) => {
    const { answers, rest } = await exchange(server.gatewayUrl, bytes + lastRequest);
    assert.deepEqual(await server.seen(), []);
    assert.equal(assertRefusal(answers[0], 400), "bad_http");
    assert.equal(rest, "");
    assert.equal(answers[0]?.isLast, true);
    assert.equal(answers.length, 1);
  };

  for (const [what, line] of refusedLines)
    test(`is refused: ${what}`, async () => {
      await assertRefused(withHost(line));
    });

  for (const [what, lines] of hosts)
    test(`is refused for its Host: ${what}`, async () => {
      await assertRefused(`GET /witness/x HTTP/1.1\r\n${lines}\r\n`);
    });

  for (const [what, bytes, calls, statuses] of taken)
    test(`is answered as HTTP says: ${what}`, async () => {
      const methods = [bytes.split(" ")[0] as string];
      const { answers, rest } = await exchange(server.gatewayUrl, bytes + lastRequest, methods);
      const seen = await server.seen();
      assert.deepEqual(
        seen.map((call) => [call.method, call.path, call.body]),
        calls,
      );
      assert.deepEqual(
        answers.map(({ status }) => status),
        statuses,
      );
      for (const answer of answers) if (answer.status >= 400) assertRefusal(answer, answer.status);
      assert.equal(rest, "");
    });

  test("in HTTP/1.0 keeps its connection where its answer has a length", async () => {
    const bytes = "GET /nobody HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    const { answers } = await exchange(server.gatewayUrl, bytes + lastRequest);
    assert.equal(assertRefusal(answers[0], 404), "route_not_found");
    assert.equal(reportOf(answers[1]).path, "/last");
    await server.seen();
  });

  test("is answered in its turn where it asks for a tunnel, or not at all", async () => {
    const first = withHost("GET /witness/x HTTP/1.1");
    const bytes = `${first}CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n${lastRequest}`;
    const { answers } = await exchange(server.gatewayUrl, bytes);
    for (const answer of answers) assert.equal(reportOf(answer).path, "/x");
    assert.ok(!(await server.seen()).some(({ path }) => path === "/last"));
  });

  test("does not end the gateway when it asks for a tunnel and resets the connection", async () => {
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    for (const bytes of [
      `GET /witness/x HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`,
      "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    ])
      for (let turn = 0; turn < 20; turn += 1) await resetAfter(server.gatewayUrl, bytes, turn);
    await server.assertSound();
  });

  test("leaves a gateway that serves", () => server.assertSound());
});

/** Sends, lets the event loops of both sides turn, and resets with bytes on the way. */
async function resetAfter(url: string, bytes: string, turns: number): Promise<void> {
  const caller = new RawCaller(url).send(bytes);
  for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
  caller.send("more").leave("reset");
}
