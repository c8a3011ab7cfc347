import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { RawCaller, exchange } from "./raw-client.ts";
import { WitnessServer, assertRefusal, lastRequest, reportOf } from "./witness.ts";

const post = (headers: string, body: string) =>
  `POST /witness/x HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`;
const chunked = "Transfer-Encoding: chunked\r\n";
const abc = "3\r\nabc\r\n0\r\n\r\n";
const hidden = "GET /witness/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const length = (value: string) => post(`Content-Length:${value}\r\n`, "abc");
const coding = (value: string) => post(`Transfer-Encoding:${value}\r\n`, abc);
const chunk = (text: string) => post(chunked, text);

const lengthAndCoding: [what: string, bytes: string][] = [
  ["Content-Length before Transfer-Encoding", post(`Content-Length: 3\r\n${chunked}`, abc)],
  ["Transfer-Encoding before Content-Length", post(`${chunked}Content-Length: 3\r\n`, abc)],
  [
    "both, the length hiding a request",
    post(`Content-Length: 5\r\n${chunked}`, `0\r\n\r\n${hidden}`),
  ],
  [
    "an empty Transfer-Encoding beside a length",
    post("Transfer-Encoding:\r\nContent-Length: 3\r\n", "abc"),
  ],
  [
    "HTTP/1.0 with Transfer-Encoding",
    `POST /witness/x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n${chunked}\r\n${abc}`,
  ],
];

const codings: [what: string, bytes: string][] = [
  ["Transfer-Encoding twice", post(chunked + chunked, abc)],
  ["gzip, then chunked in a header of its own", post(`Transfer-Encoding: gzip\r\n${chunked}`, abc)],
  ["chunked, then gzip in a header of its own", post(`${chunked}Transfer-Encoding: gzip\r\n`, abc)],
  ["a space before the colon", post("Transfer-Encoding : chunked\r\n", abc)],
  ["a tab before the colon", post("Transfer-Encoding\t: chunked\r\n", abc)],
  ["a folded value", coding("\r\n chunked")],
  ["a value folded with a tab", coding("\r\n\tchunked")],
  [
    "a folded value of another header",
    post("X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "abc"),
  ],
  ...[
    " chunked, identity",
    " identity",
    " identity, chunked",
    " gzip",
    " gzip, chunked",
    " xchunked",
    " chunkedx",
  ].map(odd),
  ...[
    ' "chunked"',
    " chunked;q=1",
    " chunked,",
    " , chunked",
    "",
    " chunked, chunked",
    " chun ked",
    " chunked\t",
  ].map(odd),
  ...[
    "\x0bchunked",
    "\x0cchunked",
    "\0chunked",
    " chunked\0",
    " chunked\x0b",
    " \x7fchunked",
    " chunk\xe9d",
    "\rchunked",
  ].map(odd),
];

function odd(value: string): [string, string] {
  return [`Transfer-Encoding:${JSON.stringify(value)}`, coding(value)];
}

const lengths: [what: string, bytes: string][] = [
  ["equal lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")],
  ["different lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")],
  [
    "different lengths, the other first",
    post("Content-Length: 4\r\nContent-Length: 3\r\n", "abcd"),
  ],
  ["a space before its colon", post("Content-Length : 3\r\n", "abc")],
  ["a folded length", length("\r\n 3")],
  ["a length that goes on in a folded line", length(" 3\r\n 4")],
  ...[
    " -1",
    " +3",
    " 3.0",
    " 0x3",
    " 3e0",
    " 3 3",
    " 3,3",
    " 3, 3",
    " 3;",
    "",
    " three",
    " 3_0",
    ' "3"',
  ].map(oddLength),
  ...[
    "\x0b3",
    "\x003",
    " 3\0",
    " 3\x0c",
    " \xb3",
    " 18446744073709551616",
    " 18446744073709551619",
  ].map(oddLength),
  ...[` ${"9".repeat(40)}`, " 3\r4"].map(oddLength),
];

function oddLength(value: string): [string, string] {
  return [`Content-Length:${JSON.stringify(value)}`, length(value)];
}

const chunks: [what: string, bytes: string][] = [
  ...[
    "+3",
    "-3",
    "0x3",
    " 3",
    "3 ",
    "3\t",
    "3 ;a",
    "",
    "g",
    "3,3",
    "3_",
    "0_3",
    "\x0b3",
    "3\0",
    "3h",
    "\xb3",
  ].map(oddSize),
  ...["10000000000000003", "fffffffffffffffff", "3;", "3;a\rb", "3;\0", '3;a="', "3;a=b\x7f"].map(
    oddSize,
  ),
  ["a size that ends with LF", chunk("3\nabc\r\n0\r\n\r\n")],
  ["an extension that ends with LF", chunk("3;a\nabc\r\n0\r\n\r\n")],
  ["a size that ends with CR", chunk("3\rabc\r\n0\r\n\r\n")],
  ["a chunk that ends with LF", chunk("3\r\nabc\n0\r\n\r\n")],
  ["a chunk that ends with nothing", chunk("3\r\nabc0\r\n\r\n")],
  ["a chunk longer than its size", chunk("3\r\nabcd\r\n0\r\n\r\n")],
  ["a chunk shorter than its size", chunk("4\r\nabc\r\n0\r\n\r\n")],
  ["a last chunk that ends with LF", chunk("3\r\nabc\r\n0\n\n")],
  ["an end that is LF", chunk("3\r\nabc\r\n0\r\n\n")],
  ["a last chunk below zero", chunk("3\r\nabc\r\n-0\r\n\r\n")],
  ["a request in the place of trailers", chunk(`3\r\nabc\r\n0\r\n${hidden}`)],
  ["a trailer without a colon", chunk("3\r\nabc\r\n0\r\nbad trailer\r\n\r\n")],
  ["a Content-Length in the trailers", chunk("3\r\nabc\r\n0\r\nContent-Length: 50\r\n\r\n")],
  ["a Transfer-Encoding in the trailers", chunk(`3\r\nabc\r\n0\r\n${chunked}\r\n`)],
  ["a trailer that ends with LF", chunk("3\r\nabc\r\n0\r\nX: 1\nY: 2\r\n\r\n")],
];

function oddSize(size: string): [string, string] {
  return [`the chunk size ${JSON.stringify(size)}`, chunk(`${size}\r\nabc\r\n0\r\n\r\n`)];
}

const lines: [what: string, bytes: string][] = [
  ["LF as every line end", "POST /witness/x HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc"],
  [
    "LF after the request line",
    "POST /witness/x HTTP/1.1\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
  ],
  ["LF after a header", post("X: a\nContent-Length: 3\r\n", "abc")],
  [
    "LF in the place of the empty line",
    "POST /witness/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\nabc",
  ],
  ["CR after a header", post("X: a\rContent-Length: 3\r\n", "abc")],
  ["CR in a value", post("X: a\rb\r\nContent-Length: 3\r\n", "abc")],
  ["CR CR LF after a header", post("X: a\r\r\nContent-Length: 3\r\n", "abc")],
  ["CR as every line end", "POST /witness/x HTTP/1.1\rHost: a\rContent-Length: 3\r\rabc"],
  ["NUL in a value", post("X: a\0b\r\nContent-Length: 3\r\n", "abc")],
  ["a header without a colon", post("Content-Length 3\r\n", "abc")],
  ["a header without a name", post(": 3\r\n", "abc")],
  ["a name with a space", post("Content Length: 3\r\n", "abc")],
  ["a space before the first header", "POST /witness/x HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n"],
];

/** Each with the body that the function must see. */
const accepted: [what: string, bytes: string, body: string][] = [
  ["a length", length(" 3"), "abc"],
  ["a length without a space", length("3"), "abc"],
  ["a length after a tab", length("\t3"), "abc"],
  ["a length with spaces around", length("  3  "), "abc"],
  ["a length with leading zeros", length(" 0003"), "abc"],
  ["a length of zero", post("Content-Length: 0\r\n", ""), ""],
  ["neither length nor coding", post("", ""), ""],
  ["chunks", chunk(abc), "abc"],
  ["chunks by another spelling", post("tRANSFER-eNCODING:CHUNKED\r\n", abc), "abc"],
  ["chunks after a tab", coding("\tchunked"), "abc"],
  ["chunks with a space behind", coding(" chunked "), "abc"],
  ["chunks of one byte", chunk("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"), "abc"],
  ["chunk extensions", chunk('3;a=b;c="d e";f\r\nabc\r\n0;last\r\n\r\n'), "abc"],
  ["a chunk size with leading zeros", chunk("00000000000000003\r\nabc\r\n00\r\n\r\n"), "abc"],
  ["a chunk size in capitals", chunk("A\r\n0123456789\r\n0\r\n\r\n"), "0123456789"],
  ["no chunk but the last", chunk("0\r\n\r\n"), ""],
  [
    "trailers",
    chunk("3\r\nabc\r\n0\r\nHost: b\r\nAuthorization: forged\r\nIsola-X: 1\r\n\r\n"),
    "abc",
  ],
  ["a request in its body", post(`Content-Length: ${hidden.length}\r\n`, hidden), hidden],
  [
    "a request in a chunk",
    chunk(`${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`),
    hidden,
  ],
  ["bytes of every value", post("Content-Length: 256\r\n", everyByte()), everyByte()],
  [
    "a length in a header with underscores",
    post("Content_Length: 50\r\nTransfer_Encoding: chunked\r\nContent-Length: 3\r\n", "abc"),
    "abc",
  ],
  ["a line end after its body", `${length(" 3")}\r\n`, "abc"],
];

function everyByte(): string {
  return String.fromCharCode(...Array(256).keys());
}

describe("two readings of one request", () => {
  const server = new WitnessServer();
  before(() => server.start());
  after(() => server.dispose());

  const refused = { lengthAndCoding, codings, lengths, chunks, lines };
  for (const [kind, cases] of Object.entries(refused))
    for (const [what, bytes] of cases)
      test(`are refused, and nothing after runs (${kind}): ${what}`, async () => {
        const { answers, rest } = await exchange(server.gatewayUrl, bytes + lastRequest);
        assert.deepEqual(await server.seen(), []);
        assert.equal(answers.length, 1, JSON.stringify(answers));
        assert.equal(assertRefusal(answers[0], 400), "bad_http");
        assert.equal(answers[0]?.isLast, true);
        assert.equal(rest, "");
      });

  const ways: [string, (bytes: string) => Promise<Awaited<ReturnType<typeof exchange>>>][] = [
    ["in one piece", (bytes) => exchange(server.gatewayUrl, bytes)],
    ["byte by byte", (bytes) => byteByByte(server.gatewayUrl, bytes)],
  ];
  for (const [how, sent] of ways)
    for (const [what, bytes, body] of accepted)
      test(`are not found in ${what}, sent ${how}: one call, with that body, and the next is whole`, async () => {
        const { answers, rest } = await sent(bytes + lastRequest);
        const seen = await server.seen();
        assert.deepEqual(
          seen.map((call) => [call.method, call.path, call.body]),
          [
            ["POST", "/x", body],
            ["GET", "/last", ""],
          ],
        );
        assert.deepEqual(answers.map(reportOf), seen);
        assert.equal(rest, "");
        const { headers } = seen[0] as (typeof seen)[0];
        const taken = [
          "content-length",
          "host",
          "x-forwarded-for",
          "x-forwarded-host",
          "x-forwarded-proto",
        ];
        assert.deepEqual(
          Object.keys(headers).filter((name) => !taken.includes(name)),
          [],
        );
        assert.equal(headers.host, "a");
      });

  test("are not made of an endless chunk: the function never sees it", async () => {
    const caller = new RawCaller(server.gatewayUrl).send(chunk("ffffffffffffffff\r\nabc"));
    caller.send(lastRequest);
    await new Promise((resolve) => caller.socket.write("", resolve));
    assert.deepEqual(await server.seen(), []);
    caller.leave();
  });

  test("leave a gateway that serves", () => server.assertSound());
});

async function byteByByte(url: string, bytes: string) {
  const caller = new RawCaller(url);
  caller.socket.setNoDelay(true);
  for (const byte of bytes) caller.send(byte);
  return await caller.untilClosed();
}
