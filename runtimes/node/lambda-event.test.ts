import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { httpEvent } from "./lambda-event.mjs";

const init = { project: "default", function: "hello" };

function eventOf(changes: Record<number, string>, headers: string[], body: Buffer | null = null) {
  const lines = ["id-1", "GET", "/", "", "192.0.2.7", "HTTP/1.1", "https", "$default", ""];
  for (const [at, line] of Object.entries(changes)) lines[Number(at)] = line;
  return httpEvent([...lines, ...headers], body, init) as Record<string, any>;
}

describe("the event of an HTTP request", () => {
  test("has every field of payload format 2.0", () => {
    const before = Date.now();
    const event = eventOf(
      {
        1: "POST",
        2: "/caf%C3%A9/x?a=1&a=2&b=%20+c&empty",
        7: "POST /:name/x",
        8: "name=caf%C3%A9&rest=a%2Fb/c&bad=%E0",
      },
      [
        ...["host", "api.example.test:8080", "user-agent", "curl/8", "x-a", "1", "x-a", "2"],
        ...["cookie", "a=1; b=2", "cookie", "c=3", "content-type", "application/json"],
        ...["constructor", "kept"],
      ],
      Buffer.from('{"ü":1}'),
    );
    const { time, timeEpoch, ...requestContext } = event.requestContext;
    assert.ok(timeEpoch >= before && timeEpoch <= Date.now());
    assert.match(time, /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    assert.deepEqual(
      { ...event, requestContext },
      {
        version: "2.0",
        routeKey: "POST /:name/x",
        rawPath: "/caf%C3%A9/x",
        rawQueryString: "a=1&a=2&b=%20+c&empty",
        cookies: ["a=1", "b=2", "c=3"],
        headers: {
          ...{ host: "api.example.test:8080", "user-agent": "curl/8", "x-a": "1,2" },
          ...{ "content-type": "application/json", constructor: "kept" },
        },
        queryStringParameters: { a: "1,2", b: "  c", empty: "" },
        requestContext: {
          ...{ accountId: "default", apiId: "hello", requestId: "id-1", stage: "$default" },
          ...{ domainName: "api.example.test", domainPrefix: "api", routeKey: "POST /:name/x" },
          http: {
            ...{ method: "POST", path: "/caf%C3%A9/x", protocol: "HTTP/1.1" },
            ...{ sourceIp: "192.0.2.7", userAgent: "curl/8" },
          },
        },
        pathParameters: { name: "café", rest: "a/b/c", bad: "%E0" },
        body: '{"ü":1}',
        isBase64Encoded: false,
      },
    );
  });

  test("leaves out what the request does not have", () => {
    const event = eventOf({}, []);
    assert.deepEqual(Object.keys(event), [
      ...["version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext"],
      "isBase64Encoded",
    ]);
    assert.equal(event.isBase64Encoded, false);
    assert.equal("body" in eventOf({}, [], Buffer.alloc(0)), false);
  });

  const types: [string, boolean][] = [
    ["text/plain", true],
    ["text/html; charset=utf-8", true],
    ["application/json", true],
    ["APPLICATION/JSON; charset=utf-8", true],
    ["application/problem+json", true],
    ["application/soap+xml; charset=utf-8", true],
    ["application/xml", true],
    ["application/javascript", true],
    ["application/x-www-form-urlencoded", true],
    ["application/jsonx", false],
    ["application/octet-stream", false],
    ["multipart/form-data; boundary=+json", false],
    ["image/png", false],
    ["", false],
  ];
  for (const [type, isText] of types)
    test(`has a body of type "${type}" as ${isText ? "text" : "base64"}`, () => {
      const headers = type === "" ? [] : ["content-type", type];
      const event = eventOf({}, headers, Buffer.from("ä"));
      assert.deepEqual([event.isBase64Encoded, event.body], isText ? [false, "ä"] : [true, "w6Q="]);
    });

  test("has text that is not UTF-8 as base64, undamaged", () => {
    const event = eventOf({}, ["content-type", "text/plain"], Buffer.from([0xff, 0x61]));
    assert.deepEqual([event.isBase64Encoded, event.body], [true, "/2E="]);
  });
});
