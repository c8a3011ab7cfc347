import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { exchange } from "./raw-client.ts";
import { WitnessServer, assertRefusal, lastRequest, reportOf } from "./witness.ts";

const own = (name: string) => ({
  "index.mjs": `export const handler = async ({ rawPath, rawQueryString, pathParameters }) =>
    ({ name: "${name}", rawPath, rawQueryString, pathParameters });`,
});

/** Reach the witness, which sees this path and query. */
const seen: [target: string, path: string, query?: string][] = [
  ["/witness", "/"],
  ["/witness/", "/"],
  ["/witness?", "/"],
  ["/witness?a=b?c&d=/../e", "/", "a=b?c&d=/../e"],
  ["/witness/a%20b", "/a%20b"],
  ["/witness//a", "//a"],
  ["/witness///", "///"],
  ["/witness/a;b=c", "/a;b=c"],
  ["/witness/...", "/..."],
  ["/witness/..a", "/..a"],
  ["/witness/a..", "/a.."],
  ["/witness/.well-known/x", "/.well-known/x"],
  ["/witness/%2ea", "/%2ea"],
  ["/witness/%252e%252e/a", "/%252e%252e/a"],
  ["/witness/%252fa", "/%252fa"],
  ["/witness/%2500", "/%2500"],
  ["/witness/%c3%a9", "/%c3%a9"],
  ["/witness/%F0%9F%98%80", "/%F0%9F%98%80"],
  ["/witness/witness", "/witness"],
  ["/witness/people/1", "/people/1"],
  ["/witness/a|b{}^`", "/a|b{}^`"],
  ["/witness/http://b/c", "/http://b/c"],
  ["/witness/@b", "/@b"],
  ["/witness/:80", "/:80"],
  ['/witness?x=%zz&y=%00&z=%2f&w=\\&v="<>|`', "/", 'x=%zz&y=%00&z=%2f&w=\\&v="<>|`'],
  [`/witness/${"a".repeat(8183)}`, `/${"a".repeat(8183)}`],
];

const badPaths = [
  ...["/witness/a%2fb", "/witness/a%2Fb", "/witness%2fa", "/witness/..%2fpeople/1", "/%2fwitness"],
  ...[
    "/witness/a%5cb",
    "/witness/a%5Cb",
    "/witness/a\\b",
    "/witness\\a",
    "\\witness".padStart(9, "/"),
  ],
  ...["/witness/%00", "/witness/a%00.html", "/wit%00ness", "/people/%00"],
  ...[
    "/witness/..",
    "/witness/.",
    "/witness/../people/1",
    "/witness/./a",
    "/../witness/a",
    "/./witness",
    "/.",
    "/..",
  ],
  ...[
    "/witness/%2e%2e/people/1",
    "/witness/%2E%2e",
    "/witness/.%2e/a",
    "/witness/%2e./a",
    "/witness/%2e",
    "/%2e%2e/witness",
  ],
  ...[
    "/people/..",
    "/people/../witness/a",
    "/people/1/../../witness",
    "/files/a/../../witness",
    "/files/%2e%2e/witness",
    "/files/..",
  ],
  ...[
    "/witness/%c0%ae%c0%ae/a",
    "/witness/%c0%af",
    "/witness/%e0%80%af",
    "/witness/%ff",
    "/witness/%ed%a0%80",
    "/witness/%80",
  ],
  ...[
    "/witness/%",
    "/witness/%2",
    "/witness/%zz",
    "/witness/%u002e%u002e",
    "/witness/%%32e",
    "/witness/%-1",
  ],
  ...[
    "/witness#a",
    "/witness/a#b",
    "/people/1#a",
    "/witness?a#b",
    "/#/witness",
    "/people#/../witness",
  ],
];

const nowhere = [
  ...[
    "/",
    "/?witness",
    "//",
    "//witness/a",
    "/;/witness",
    "/witness;a=b/c",
    "/witness%20",
    "/witness%09/a",
    "/witnes",
  ],
  ...[
    "/WITNESS/a",
    "/%77itness/a",
    "/witnes%73",
    "/witness:80/a",
    "/@witness/a",
    "/a@witness",
    "/files",
    "/*",
    "/:id",
    "/$default",
  ],
  ...[
    "/api",
    "/api/",
    "/api/v1/functions",
    "/api/v1/system",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/console",
  ],
  ...["/__proto__/a", "/constructor", "/toString", "/default/witness/a", "/default%20witness"],
];

const notHttp = [
  "/witness/\xff",
  "/witness/\xc3\xa9",
  "/witness?\xe9",
  "/witness/\x7f",
  "/witness/\x01",
  "/witness/\0",
  "/\x80",
  "/people/\xa0",
];

/** Reach the function of an explicit route, which sees the path whole. */
const routed: [target: string, name: string, parameters: Record<string, string>][] = [
  ["/people/1", "people", { id: "1" }],
  ["/%70eople/1", "people", { id: "1" }],
  ["/people/a%20b", "people", { id: "a b" }],
  ["/people/%2541", "people", { id: "%41" }],
  ["/people/%252e%252e", "people", { id: "%2e%2e" }],
  ["/people/%252fwitness", "people", { id: "%2fwitness" }],
  ["/people/witness", "people", { id: "witness" }],
  ["/people/..;", "people", { id: "..;" }],
  ["/people/1;a=b", "people", { id: "1;a=b" }],
  ["/people/a&b=c", "people", { id: "a&b=c" }],
  ["/files/a/b", "files", { "*": "a/b" }],
  ["/files//witness/a", "files", { "*": "/witness/a" }],
  ["/files/people/1", "files", { "*": "people/1" }],
  ["/files/", "files", { "*": "" }],
];

describe("a path that plays tricks", () => {
  const server = new WitnessServer();
  before(async () => {
    await server.start();
    await server.deploy("reader", own("people"), { route: { methods: [], path: "/people/:id" } });
    await server.deploy("keeper", own("files"), { route: { methods: [], path: "/files/*" } });
  });
  after(() => server.dispose());

  const get = async (target: string) => {
    const bytes = `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n${lastRequest}`;
    const { answers, rest } = await exchange(server.gatewayUrl, bytes);
    assert.equal(rest, "");
    const calls = (await server.seen()).filter(({ path }) => path !== "/last");
    return { answers, calls };
  };

  for (const [target, path, query = ""] of seen)
    test(`is seen as it was sent: ${shown(target)}`, async () => {
      const { answers, calls } = await get(target);
      assert.deepEqual(
        calls.map((call) => [call.path, call.query]),
        [[path, query]],
      );
      assert.equal(reportOf(answers[0]).path, path);
    });

  const refusals: [string, string[], number, string][] = [
    ["cannot be routed", badPaths, 400, "bad_path"],
    ["leads nowhere", nowhere, 404, "route_not_found"],
    ["is no HTTP", notHttp, 400, "bad_http"],
    [
      "is too long",
      [`/witness/${"a".repeat(8184)}`, `/witness?${"a".repeat(12_000)}`],
      431,
      "headers_too_large",
    ],
  ];
  for (const [what, targets, status, code] of refusals)
    for (const target of targets)
      test(`${what}: ${shown(target)}`, async () => {
        const { answers, calls } = await get(target);
        assert.deepEqual(calls, []);
        assert.equal(assertRefusal(answers[0], status), code);
        if (code !== "bad_http") assert.equal(reportOf(answers[1]).path, "/last");
      });

  for (const [target, name, parameters] of routed)
    test(`leads to the function of its route alone: ${target}`, async () => {
      const { answers, calls } = await get(target);
      assert.deepEqual(calls, []);
      const report = JSON.parse((answers[0] as (typeof answers)[0]).body.toString());
      const expected = { name, rawPath: target, rawQueryString: "", pathParameters: parameters };
      assert.deepEqual(report, expected);
    });

  test("stays with its function, whatever that makes of the path", async () => {
    const code =
      "export default { fetch: (request) => new Response(new URL(request.url).pathname) };";
    await server.deploy("web", { "index.mjs": code });
    for (const [target, path] of [
      ["/web//b/c", "//b/c"],
      ["/web/%252e%252e/c", "/%252e%252e/c"],
      ["/web/@b/c", "/@b/c"],
      ["/web/a?x=/../b", "/a"],
    ] as const) {
      const { answers } = await get(target);
      assert.equal(answers[0]?.body.toString(), path);
    }
  });

  test("leaves a gateway that serves", () => server.assertSound());
});

function shown(target: string): string {
  return JSON.stringify(target.slice(0, 60));
}
