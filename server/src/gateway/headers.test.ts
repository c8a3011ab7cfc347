import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { requestHeaderBlock, responseHeaders } from "./headers.ts";

function blockOf(rawHeaders: string[], connection?: string): string[] {
  const request = {
    rawHeaders,
    headers: { connection },
  } as unknown as IncomingMessage;
  return requestHeaderBlock(request, null, { address: "10.0.0.9", scheme: "http" })
    .split("\n")
    .slice(1);
}

const forwarded = [
  "x-forwarded-for",
  "10.0.0.9",
  "x-forwarded-proto",
  "http",
  "x-forwarded-host",
  "h",
];

describe("request headers", () => {
  test("keep order, duplicates and values, with names in lower case", () => {
    const block = blockOf(["Host", "h", "X-A", "1", "Cookie", "a=b", "x-a", "2"]);
    assert.deepEqual(block, ["host", "h", "x-a", "1", "cookie", "a=b", "x-a", "2", ...forwarded]);
  });

  test("lose what belongs to the connection, also what Connection names", () => {
    const raw = [
      "Host",
      "h",
      "Connection",
      "close, X-Secret",
      "X-Secret",
      "1",
      "TE",
      "trailers",
      "Upgrade",
      "x",
    ];
    assert.deepEqual(blockOf(raw, "close, X-Secret"), ["host", "h", ...forwarded]);
  });

  test("cannot forge what the gateway says", () => {
    const raw = [
      "Host",
      "h",
      "Isola-Request-Id",
      "x",
      "X-Forwarded-For",
      "1.2.3.4",
      "Forwarded",
      "for=1",
    ];
    assert.deepEqual(blockOf(raw), ["host", "h", ...forwarded]);
  });

  test("with two Hosts are refused", () => {
    assert.throws(() => blockOf(["Host", "h", "host", "i"]), /two Host/);
  });
});

describe("response headers", () => {
  test("do not leave long names behind", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const heapBytes = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = heapBytes();
    for (let at = 0; at < 1000; at += 1) {
      responseHeaders([`x-${at}-${"y".repeat(50_000)}`, "z"], 100_000, false);
    }
    const growthBytes = heapBytes() - before;
    assert.ok(growthBytes < 10_000_000, `${growthBytes} bytes more`);
  });

  test("without a body lose their length, and those that connection names", () => {
    const given = ["x-a", "1", "Connection", "X-A, content-length", "content-length", "7"];
    assert.deepEqual(responseHeaders(given, 1000, true), { headers: [], contentLength: -1 });
    const headers = ["content-length", "7"];
    assert.deepEqual(responseHeaders(given, 1000, false), { headers, contentLength: 7 });
  });

  test("lose hop-by-hop and isola-* names", () => {
    const given = [
      "Content-Type",
      "text/plain",
      "Transfer-Encoding",
      "chunked",
      "Isola-Error",
      "x",
      "Set-Cookie",
      "a",
      "set-cookie",
      "b",
    ];
    assert.deepEqual(responseHeaders(given, 1000, false), {
      headers: ["content-type", "text/plain", "set-cookie", "a", "set-cookie", "b"],
      contentLength: -1,
    });
  });

  test("have one content-length that is a number", () => {
    assert.match(
      String(responseHeaders(["content-length", "1", "content-length", "1"], 1000, false)),
      /two content-length/,
    );
    assert.match(String(responseHeaders(["content-length", "1, 2"], 1000, false)), /not a number/);
    assert.deepEqual(responseHeaders(["content-length", "12"], 1000, false), {
      headers: ["content-length", "12"],
      contentLength: 12,
    });
  });

  test("are bounded", () => {
    assert.match(String(responseHeaders(["x", "y".repeat(1000)], 1000, false)), /more than 1000/);
  });
});
