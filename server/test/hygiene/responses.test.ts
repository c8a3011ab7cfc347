import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { valuesOf } from "./answer-parser.ts";
import { type RawResponse, deployRaw, exchangeRaw } from "./raw-function.ts";
import { WitnessServer, assertRefusal, lastRequest, reportOf } from "./witness.ts";

type Lines = [name: string, value: string][];

/** With the lines that reach the caller, beside those of the gateway's own. */
const passed: [what: string, lines: string[], reach: Lines][] = [
  [
    "order and duplicates stay",
    ["X-B", "1", "x-a", "2", "X-b", "3"],
    [
      ["x-b", "1"],
      ["x-a", "2"],
      ["x-b", "3"],
    ],
  ],
  [
    "hop-by-hop headers end",
    [
      "connection",
      "close",
      "keep-alive",
      "timeout=1",
      "transfer-encoding",
      "chunked",
      "te",
      "x",
      "trailer",
      "x",
      "upgrade",
      "h2c",
      "proxy-authenticate",
      "x",
      "proxy-connection",
      "close",
    ],
    [],
  ],
  [
    "transfer-encoding in capitals ends",
    ["TRANSFER-ENCODING", "identity", "Connection", "keep-alive"],
    [],
  ],
  [
    "what connection names ends",
    [
      "x-secret",
      "1",
      "Connection",
      "X-Secret, close",
      "connection",
      "x-more",
      "X-More",
      "2",
      "x-kept",
      "3",
    ],
    [["x-kept", "3"]],
  ],
  [
    "connection does not take the length",
    ["connection", "content-length", "content-length", "3"],
    [],
  ],
  [
    "forged headers of the platform end",
    ["isola-request-id", "forged", "ISOLA-ERROR", "forged", "Isola-Anything", "x"],
    [],
  ],
  [
    "fifty cookies stay",
    Array(50).fill(["set-cookie", "a=b; Path=/"]).flat(),
    Array(50).fill(["set-cookie", "a=b; Path=/"]),
  ],
  [
    "the console's cookie is not set",
    [
      "Set-Cookie",
      "__Host-isola_session=x; Path=/; Secure",
      "set-cookie",
      "a=b",
      "set-cookie",
      " __Host-isola=x",
    ],
    [["set-cookie", "a=b"]],
  ],
  ["a value of every character stays", ["x", "\t!~\x80\xff"], [["x", "!~\x80\xff"]]],
];

const bad: [what: string, response: RawResponse][] = [
  ...["a b", "a:b", "a\r", "\xe9", "a\0", "a,b", "(a)", "x\r\ny"].map(badName),
  ...["a\rb", "a\0b", "a\x01", "\x7f", "a\r\r"].map(badValue),
  ...[
    "100",
    "101",
    "103",
    "199",
    "600",
    "999",
    "099",
    "20",
    "2000",
    "abc",
    "",
    "-20",
    "2.0",
    " 200",
    "200 OK",
  ].map(badStatus),
  ["two lengths", { head: ["200", "content-length", "3", "content-length", "3"], body: ["abc"] }],
  [
    "two lengths by other spelling",
    { head: ["200", "content-length", "3", "Content-Length", "3"], body: ["abc"] },
  ],
  ...["4", "2", "0", "3, 3", "+3", "-3", "0x3", "3.0", "", "x", "3 ", "9".repeat(20)].map(
    badLength,
  ),
  ["a length without a body", { head: ["200", "content-length", "3"], body: null }],
  [
    "a body beyond its length, in a later piece",
    { head: ["200", "content-length", "3"], body: ["abcd", "e"] },
  ],
  ["one huge header", { head: ["200", "x", "y".repeat(16_384)], body: ["abc"] }],
  [
    "a thousand headers",
    { head: ["200", ...Array(1000).fill(["x-name-of-some-length", "y"]).flat()], body: ["abc"] },
  ],
  [
    "a huge header that would not be passed on",
    { head: ["200", "isola-x", "y".repeat(16_384)], body: ["abc"] },
  ],
  ["a name without a value", { head: ["200", "x"], body: ["abc"] }],
];

function badName(name: string): [string, RawResponse] {
  return [`the name ${JSON.stringify(name)}`, { head: ["200", name, "x"], body: ["abc"] }];
}

function badValue(value: string): [string, RawResponse] {
  return [`the value ${JSON.stringify(value)}`, { head: ["200", "x", value], body: ["abc"] }];
}

function badStatus(status: string): [string, RawResponse] {
  return [`the status ${JSON.stringify(status)}`, { head: [status], body: ["abc"] }];
}

function badLength(length: string): [string, RawResponse] {
  const head = ["200", "content-length", length];
  return [`the length ${JSON.stringify(length)} of a body of 3`, { head, body: ["abc"] }];
}

/** With the body that the caller reads, and the length that the head says; null: none. */
const framed: [
  what: string,
  method: string,
  response: RawResponse,
  body: string,
  length: string | null,
][] = [
  ["a whole body gets its length", "GET", { head: ["200"], body: ["abc"] }, "abc", "3"],
  ["no body gets the length 0", "GET", { head: ["200"], body: null }, "", "0"],
  ["an empty body gets the length 0", "GET", { head: ["200"], body: [""] }, "", "0"],
  [
    "a true length stays",
    "GET",
    { head: ["200", "content-length", "3"], body: ["a", "bc"] },
    "abc",
    "3",
  ],
  [
    "pieces without a length are chunks",
    "GET",
    { head: ["200"], body: ["a", "b", "c"], isStepwise: true },
    "abc",
    null,
  ],
  [
    "a true length stays with slow pieces",
    "GET",
    { head: ["200", "content-length", "3"], body: ["a", "b", "c"], isStepwise: true },
    "abc",
    "3",
  ],
  ["HEAD with a body", "HEAD", { head: ["200"], body: ["abc"] }, "", "3"],
  ["HEAD with a length", "HEAD", { head: ["200", "content-length", "77"], body: null }, "", "77"],
  ["HEAD with neither", "HEAD", { head: ["200"], body: null }, "", null],
  ["HEAD with pieces", "HEAD", { head: ["200"], body: ["a", "b"], isStepwise: true }, "", null],
  ["HEAD with a failure", "HEAD", { head: ["404", "content-length", "3"], body: ["abc"] }, "", "3"],
  ["204 with a body", "GET", { head: ["204"], body: ["abc"] }, "", null],
  ["204 with a length", "GET", { head: ["204", "content-length", "3"], body: ["abc"] }, "", null],
  [
    "204 with a false length",
    "GET",
    { head: ["204", "content-length", "9"], body: ["abc"] },
    "",
    null,
  ],
  ["204 with slow pieces", "GET", { head: ["204"], body: ["a", "b"], isStepwise: true }, "", null],
  ["205 with a body", "GET", { head: ["205"], body: ["abc"] }, "", "0"],
  [
    "205 with a length",
    "GET",
    { head: ["205", "content-length", "3"], body: ["a", "bc"], isStepwise: true },
    "",
    "0",
  ],
  ["205 to HEAD", "HEAD", { head: ["205"], body: null }, "", "0"],
  ["304 with a body", "GET", { head: ["304"], body: ["abc"] }, "", null],
  [
    "304 with the length of what is not sent",
    "GET",
    { head: ["304", "content-length", "9"], body: null },
    "",
    "9",
  ],
  [
    "304 with slow pieces",
    "GET",
    { head: ["304", "etag", "x"], body: ["a", "b"], isStepwise: true },
    "",
    null,
  ],
];

const own = [
  "isola-request-id",
  "server-timing",
  "date",
  "connection",
  "keep-alive",
  "content-length",
  "transfer-encoding",
];

describe("the response of a function", () => {
  const server = new WitnessServer();
  before(async () => {
    await server.start();
    await deployRaw(server);
  });
  after(() => server.dispose());

  const answerTo = async (response: RawResponse, method = "GET") => {
    const { answers, rest } = await exchangeRaw(server, [response, method, lastRequest]);
    assert.equal(rest, "");
    assert.equal(answers.length, 2);
    assert.equal(reportOf(answers[1]).path, "/last");
    return answers[0] as (typeof answers)[0];
  };

  for (const [what, lines, reach] of passed)
    test(`reaches its caller so: ${what}`, async () => {
      const answer = await answerTo({ head: ["200", ...lines], body: ["abc"] });
      assert.deepEqual(
        answer.headers.filter(([name]) => !own.includes(name)),
        reach,
      );
      assert.deepEqual(valuesOf(answer, "content-length"), ["3"]);
      assert.deepEqual(valuesOf(answer, "connection"), ["keep-alive"]);
      assert.match(valuesOf(answer, "isola-request-id").join(), /^inv-\w+$/);
      assert.equal(answer.body.toString(), "abc");
    });

  for (const [what, response] of bad)
    test(`is refused where it is malformed, and nothing of it is passed on: ${what}`, async () => {
      const answer = await answerTo(response);
      assert.equal(assertRefusal(answer, 502), "bad_response");
      assert.deepEqual(valuesOf(answer, "x"), []);
    });

  for (const [what, method, response, body, length] of framed)
    test(`is framed so that the next one is whole: ${what}`, async () => {
      const answer = await answerTo(response, method);
      assert.equal(answer.status, Number(response.head[0]));
      assert.equal(answer.body.toString(), body);
      assert.deepEqual(valuesOf(answer, "content-length"), length === null ? [] : [length]);
    });

  test("keeps its own server-timing, before that of the gateway", async () => {
    const answer = await answerTo({ head: ["200", "server-timing", "db;dur=5"], body: null });
    const [first, second, ...more] = valuesOf(answer, "server-timing");
    assert.equal(first, "db;dur=5");
    assert.match(second ?? "", /^queue;dur=[\d.]+.*run;dur=/);
    assert.deepEqual(more, []);
  });

  const cut: [what: string, response: RawResponse][] = [
    [
      "is longer than it said",
      { head: ["200", "content-length", "3"], body: ["ab", "cd"], isStepwise: true },
    ],
    [
      "is shorter than it said",
      { head: ["200", "content-length", "5"], body: ["ab", "c"], isStepwise: true },
    ],
    [
      "breaks the protocol in its middle",
      { head: ["200"], body: ["ab", "", "c"], isStepwise: true },
    ],
  ];
  for (const [what, response] of cut)
    test(`is cut, so that its caller notices, where it ${what}`, async () => {
      await server.seen();
      const { answers, rest } = await exchangeRaw(server, [response, "GET", lastRequest]);
      assert.deepEqual(answers, []);
      assert.match(rest, /^HTTP\/1\.1 200 /);
      assert.doesNotMatch(rest, /\r\n\r\n[^]*HTTP\/1\.1/);
      assert.deepEqual(await server.seen(), []);
    });

  test("leaves a gateway that serves", () => server.assertSound());
});
