import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { exchange } from "./raw-client.ts";
import { WitnessServer, assertRefusal, lastRequest, reportOf } from "./witness.ts";

/** Answers the header lines that it was given, in their order. */
const asgi = `import json
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    lines = [[name.decode("latin1"), value.decode("latin1")] for name, value in scope["headers"]]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(lines).encode()})
`;

/** What a WSGI function makes of header names. */
const wsgi = `import json
def app(environ, start_response):
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps({key: value for key, value in environ.items() if key.startswith("HTTP_")}).encode()]
`;

type Lines = [name: string, value: string][];

/** With the lines that reach a function, beside those of the gateway's own. */
const passed: [what: string, sent: string, lines: Lines][] = [
  [
    "order, duplicates and values stay",
    "X-B: 1\r\nX-A:  2 3 \r\nx-b: \xe9\r\n",
    [
      ["x-b", "1"],
      ["x-a", "2 3"],
      ["x-b", "\xe9"],
    ],
  ],
  [
    "an empty value stays",
    "X-A:\r\nX-B:   \r\n",
    [
      ["x-a", ""],
      ["x-b", ""],
    ],
  ],
  ["every character of a token stays", "!#$%&'*+-.^_`|~09: x\r\n", [["!#$%&'*+-.^_`|~09", "x"]]],
  [
    "names that objects inherit stay",
    "__proto__: a\r\nconstructor: b\r\nhasOwnProperty: c\r\n",
    [
      ["__proto__", "a"],
      ["constructor", "b"],
      ["hasownproperty", "c"],
    ],
  ],
  [
    "duplicates of single headers stay, for the function to judge",
    "Content-Type: a/b\r\nContent-Type: c/d\r\nAuthorization: x\r\nAuthorization: y\r\n",
    [
      ["content-type", "a/b"],
      ["content-type", "c/d"],
      ["authorization", "x"],
      ["authorization", "y"],
    ],
  ],
  [
    "hop-by-hop headers end",
    "Keep-Alive: timeout=5\r\nTE: trailers\r\nTrailer: X\r\nProxy-Authorization: Basic x\r\nProxy-Authenticate: x\r\nProxy-Connection: close\r\nUpgrade: h2c\r\n",
    [],
  ],
  [
    "what Connection names ends",
    "Connection: x-secret, Keep-Alive , ,X-OTHER\r\nX-Secret: 1\r\nx-other: 2\r\nX-Kept: 3\r\n",
    [["x-kept", "3"]],
  ],
  [
    "what a second Connection names ends",
    "Connection: keep-alive\r\nConnection: x-secret\r\nX-Secret: 1\r\n",
    [],
  ],
  [
    "Connection takes nothing from the gateway",
    "Connection: x-forwarded-for, isola-request-id, x-forwarded-host\r\n",
    [],
  ],
  [
    "forged headers of the platform end",
    "Isola-Request-Id: x\r\nISOLA-ERROR: x\r\nisola-: x\r\nIsola-Anything: x\r\n",
    [],
  ],
  [
    "forged addresses end",
    "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Server: b\r\nX-Forwarded-Prefix: /b\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\n",
    [],
  ],
  [
    "look-alikes end",
    "isola_request_id: x\r\nX_Forwarded_For: 1.2.3.4\r\nX_Forwarded-For: 1.2.3.4\r\nX_Real_IP: x\r\nTransfer_Encoding: chunked\r\nContent_Length: 9\r\nHost_: b\r\nproxy_authorization: x\r\n",
    [["host_", "b"]],
  ],
  [
    "other underscores stay",
    "api_key: x\r\nX_A: y\r\n",
    [
      ["api_key", "x"],
      ["x_a", "y"],
    ],
  ],
  ["a Proxy header ends", "Proxy: http://b\r\n", []],
  [
    "words of another proxy stay",
    "Via: 1.1 b\r\nX-Request-Id: x\r\nX-Original-URL: /admin\r\nX-HTTP-Method-Override: DELETE\r\n",
    [
      ["via", "1.1 b"],
      ["x-request-id", "x"],
      ["x-original-url", "/admin"],
      ["x-http-method-override", "DELETE"],
    ],
  ],
  [
    "cookies of functions stay as they are",
    "Cookie: a=b;c=d ;  e\r\nCookie: f=g\r\n",
    [
      ["cookie", "a=b;c=d ;  e"],
      ["cookie", "f=g"],
    ],
  ],
  [
    "the console's cookie ends, the others stay",
    "Cookie: a=b; __Host-isola_session=secret; c=d\r\n",
    [["cookie", "a=b; c=d"]],
  ],
  [
    "the console's cookie alone ends",
    "Cookie: __Host-isola=secret\r\nCookie:__Host-isola-x=secret;;\r\n",
    [],
  ],
  [
    "the console's cookie ends behind quotes and odd spaces",
    'Cookie: a="; __Host-isola_session=secret\r\nCookie: a=b;\t__Host-isola_session=secret\r\n',
    [
      ["cookie", 'a="'],
      ["cookie", "a=b"],
    ],
  ],
];

const refused: [what: string, sent: string, status: number][] = [
  ...[
    "host",
    "content-length",
    "content-type",
    "authorization",
    "cookie",
    "Cookie",
    "x, COOKIE ,y",
  ].map(nominated),
  ["a space in a name", "X A: 1\r\n", 400],
  ["a name with a slash", "X/A: 1\r\n", 400],
  ["a name outside of ASCII", "X\xe9: 1\r\n", 400],
  ["a name with NUL", "X\0: 1\r\n", 400],
  ["a control character in a value", "X: a\x01b\r\n", 400],
  ["a DEL in a value", "X: a\x7fb\r\n", 400],
  ["one huge header", `X: ${"y".repeat(30_000)}\r\n`, 431],
  ["a huge name", `${"y".repeat(30_000)}: x\r\n`, 431],
  ["a huge header that the parser takes", `X: ${"y".repeat(17_000)}\r\n`, 431],
  ["5,000 small headers", "a:b\r\n".repeat(5000), 431],
];

function nominated(names: string): [string, string, number] {
  return [`Connection naming ${names}`, `Connection: ${names}\r\n`, 400];
}

describe("the headers of a request", () => {
  const server = new WitnessServer();
  before(async () => {
    await server.start();
    for (const [name, code] of Object.entries({ asgi, wsgi }))
      await server.deploy(name, { "app.py": code }, { runtime: "python", minSandboxes: 1 });
  });
  after(() => server.dispose());

  const linesAt = async (path: string, headers: string, method = "GET") => {
    const bytes = `${method} ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n${lastRequest}`;
    const { answers, rest } = await exchange(server.gatewayUrl, bytes);
    assert.equal(rest, "");
    assert.equal(answers[0]?.status, 200, String(answers[0]?.body));
    return JSON.parse((answers[0] as (typeof answers)[0]).body.toString());
  };

  for (const [what, sent, lines] of passed)
    test(`reach a function so: ${what}`, async () => {
      const own = [
        ["x-forwarded-for", "127.0.0.1"],
        ["x-forwarded-proto", "http"],
        ["x-forwarded-host", "a"],
      ];
      assert.deepEqual(await linesAt("/asgi", sent), [["host", "a"], ...lines, ...own]);
    });

  test("cannot pass for those of the gateway where names become variables", async () => {
    const forged = "X_Forwarded_For: 1.2.3.4\r\nisola_x: 1\r\nProxy: b\r\nX-Fine: 1\r\n";
    const variables = await linesAt("/wsgi", forged);
    assert.equal(variables.HTTP_X_FORWARDED_FOR, "127.0.0.1");
    assert.equal(variables.HTTP_ISOLA_X, undefined);
    assert.equal(variables.HTTP_PROXY, undefined);
    assert.equal(variables.HTTP_X_FINE, "1");
  });

  for (const [what, sent, status] of refused)
    test(`are refused: ${what}`, async () => {
      const bytes = `POST /witness/x HTTP/1.1\r\nHost: a\r\n${sent}\r\n${lastRequest}`;
      const { answers, rest } = await exchange(server.gatewayUrl, bytes);
      assert.deepEqual(
        (await server.seen()).filter(({ path }) => path !== "/last"),
        [],
      );
      const code = assertRefusal(answers[0], status);
      assert.equal(code, status === 431 ? "headers_too_large" : "bad_http");
      assert.equal(rest, "");
    });

  test("may have 16,384 bytes, counted with colons and line ends, and not one more", async () => {
    const room = 16_384 - "Host: a\r\n".length - "X: \r\n".length;
    const [most, over] = [room, room + 1].map((length) => `X: ${"y".repeat(length)}\r\n`);
    const request = (header: string) => `GET /witness/x HTTP/1.1\r\nHost: a\r\n${header}\r\n`;
    const bytes = request(most as string) + request(over as string) + lastRequest;
    const { answers } = await exchange(server.gatewayUrl, bytes);
    assert.equal(reportOf(answers[0]).headers.x?.length, room);
    assert.equal(assertRefusal(answers[1], 431), "headers_too_large");
    assert.equal(reportOf(answers[2]).path, "/last");
  });

  test("are all read, 2,000 small ones as well, and what comes after them counts", async () => {
    const many = "a:b\r\n".repeat(2000);
    const after = "X-After: 1\r\nContent-Length: 3\r\n\r\nabc";
    const bytes = `POST /witness/x HTTP/1.1\r\nHost: a\r\n${many}${after}${lastRequest}`;
    const { answers } = await exchange(server.gatewayUrl, bytes);
    const call = reportOf(answers[0]);
    assert.equal(call.headers.a, Array(2000).fill("b").join());
    assert.equal(call.headers["x-after"], "1");
    assert.equal(call.body, "abc");
    assert.equal(reportOf(answers[1]).path, "/last");
    const second = `GET /witness/x HTTP/1.1\r\nHost: a\r\n${many}Host: b\r\n\r\n${lastRequest}`;
    const refusal = await exchange(server.gatewayUrl, second);
    assert.equal(assertRefusal(refusal.answers[0], 400), "bad_http");
  });

  test("leave a gateway that serves", () => server.assertSound());
});
