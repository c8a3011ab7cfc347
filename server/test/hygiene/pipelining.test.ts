import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { RawCaller, exchange } from "./raw-client.ts";
import { deployRaw } from "./raw-function.ts";
import { WitnessServer, assertRefusal, lastRequest, reportOf } from "./witness.ts";

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const post = (target: string, body: string) =>
  `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const junk: [what: string, bytes: string][] = [
  ["no HTTP", "junk\r\n\r\n"],
  ["a wrong version", "GET /witness/x HTTP/9.9\r\nHost: a\r\n\r\n"],
  [
    "two lengths",
    "POST /witness/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  ],
  [
    "a bad chunk",
    "POST /witness/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  ],
  [
    "another coding",
    "POST /witness/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
  ],
];

const failing: [what: string, request: string, status: number][] = [
  ["a function that throws", get("/witness/throws"), 500],
  ["no function", get("/nobody"), 404],
  ["a bad path", get("/witness/%00"), 400],
  ["an unknown method", "PURGE /witness/x HTTP/1.1\r\nHost: a\r\n\r\n", 405],
  ["too many headers", `GET /witness/x HTTP/1.1\r\nHost: a\r\n${"x:y\r\n".repeat(3500)}\r\n`, 431],
  ["a function that runs too long", get("/brief"), 504],
  ["a function that exits", get("/exits"), 502],
];

describe("requests that do not wait for answers", () => {
  const server = new WitnessServer();
  before(async () => {
    await server.start();
    await deployRaw(server);
    const brief = "export const handler = () => new Promise(() => {});";
    await server.deploy("brief", { "index.mjs": brief }, { timeoutMs: 100 });
    await server.deploy("exits", { "index.mjs": "export const handler = () => process.exit(1);" });
    const early = "export default { fetch: () => new Response('early') };";
    await server.deploy("early", { "index.mjs": early }, { minSandboxes: 1 });
  });
  after(() => server.dispose());

  test("are answered in their order, 100 in one packet, one running after the other", async () => {
    const numbers = [...Array(100).keys()];
    const requests = numbers.map((n) =>
      n % 3 === 0
        ? post(`/witness/${n}?ms=${(100 - n) % 7}`, `body ${n}`)
        : get(`/witness/${n}?ms=${(100 - n) % 7}`),
    );
    const { answers, rest } = await exchange(server.gatewayUrl, requests.join("") + lastRequest);
    const expected = [...numbers.map((n) => `/${n}`), "/last"];
    assert.deepEqual(
      answers.map((answer) => reportOf(answer).path),
      expected,
    );
    assert.equal(rest, "");
    const seen = await server.seen();
    assert.deepEqual(
      seen.map(({ path }) => path),
      expected,
    );
    assert.deepEqual(
      seen.filter(({ running }) => running !== 1),
      [],
    );
    assert.equal(seen[99]?.body, "body 99");
  });

  test("wait up to a number; with the last of these the connection ends, and no further one runs", async () => {
    const caller = new RawCaller(server.gatewayUrl);
    const numbers = [...Array(400).keys()];
    caller.send(get("/witness/hold") + numbers.map((n) => get(`/witness/${n}`)).join(""));
    await server.held();
    await server.call("/witness/go");
    const { answers, rest } = await caller.untilClosed();
    assert.deepEqual(
      answers.map((answer) => reportOf(answer).path),
      ["/hold", ...numbers.slice(0, 256).map((n) => `/${n}`)],
    );
    assert.deepEqual(
      answers.map(({ isLast }) => isLast),
      [...Array(256).fill(false), true],
    );
    assert.equal(rest, "");
    assert.equal((await server.seen()).length, 256);
  });

  for (const [what, request, status] of failing)
    test(`behind one that fails are answered as ever: ${what}`, async () => {
      const bytes = get("/witness/a") + request + get("/witness/b") + lastRequest;
      const { answers } = await exchange(server.gatewayUrl, bytes);
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [200, status, 200, 200],
      );
      assertRefusal(answers[1], status);
      assert.equal(reportOf(answers[2]).path, "/b");
      await server.seen();
    });

  for (const [what, bytes] of junk) {
    test(`are answered although ${what} comes behind them, and then that is refused`, async () => {
      const caller = new RawCaller(server.gatewayUrl);
      caller.send(get("/witness/hold") + get("/witness/b") + bytes + lastRequest);
      await server.held();
      await server.call("/witness/go");
      const { answers, rest } = await caller.untilClosed();
      assert.equal(answers.length, 3);
      assert.equal(reportOf(answers[0]).path, "/hold");
      assert.equal(reportOf(answers[1]).path, "/b");
      assert.equal(assertRefusal(answers[2], 400), "bad_http");
      assert.equal(answers[2]?.isLast, true);
      assert.equal(rest, "");
      assert.deepEqual(
        (await server.seen()).map(({ path }) => path),
        ["/b"],
      );
    });

    test(`do not break into an answer that is on its way: ${what}`, async () => {
      const body = JSON.stringify({
        head: ["200"],
        body: ["one ", "two ", "three"],
        isStepwise: true,
      });
      const caller = new RawCaller(server.gatewayUrl);
      caller.send(post("/raw", body).replace("Host", "Content-Type: application/json\r\nHost"));
      await caller.anything();
      caller.send(bytes + lastRequest);
      for (let piece = 0; piece < 3; piece += 1) await server.call("/raw/go");
      const { answers, rest } = await caller.untilClosed();
      assert.equal(answers[0]?.body.toString(), "one two three");
      assert.equal(assertRefusal(answers[1], 400), "bad_http");
      assert.equal(answers.length, 2);
      assert.equal(rest, "");
      assert.deepEqual(await server.seen(), []);
    });
  }

  test("lose an answer that has begun where the rest of the request is broken", async () => {
    const echo = "export default { fetch: (request) => new Response(request.body) };";
    await server.deploy("echo", { "index.mjs": echo });
    const caller = new RawCaller(server.gatewayUrl);
    caller.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    await caller.anything();
    caller.send(`zz\r\n\r\n${lastRequest}`);
    const { answers, rest } = await caller.untilClosed();
    assert.deepEqual(answers, []);
    assert.match(rest, /^HTTP\/1\.1 200 [^]*\r\n3\r\nabc\r\n$/);
    assert.deepEqual(await server.seen(), []);
  });

  test("that got their answer early go on, once the rest of the first has come", async () => {
    const caller = new RawCaller(server.gatewayUrl);
    caller.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    const first = await caller.answer();
    assert.equal(first?.body.toString(), "early");
    caller.send(`def${lastRequest}`);
    const { answers } = await caller.untilClosed();
    assert.deepEqual(
      answers.map((answer) => reportOf(answer).path),
      ["/last"],
    );
    await server.seen();
  });

  test("that are refused while they are still sent can read why when they have been", async () => {
    const piece = Buffer.alloc(1_000_000, "x");
    const refusals: [string, number][] = [
      ["POST /nobody HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n", 404],
      ["POST /witness HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n", 413],
      ["PURGE /witness HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n", 405],
    ];
    for (const [head, status] of refusals) {
      const caller = new RawCaller(server.gatewayUrl).send(head);
      caller.socket.pause();
      for (let at = 0; at < 20; at += 1)
        await new Promise((resolve) => caller.socket.write(piece, resolve));
      caller.socket.resume();
      const { answers } = await caller.send(lastRequest).untilClosed();
      assertRefusal(answers[0], status);
      assert.equal(answers[0]?.isLast, true);
      assert.equal(answers.length, 1);
    }
    assert.deepEqual(await server.seen(), []);
  });

  test("leave a gateway that serves", () => server.assertSound());
});
