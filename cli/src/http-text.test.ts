import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { requestLine, writtenRequest } from "./http-text.ts";

const written = (text: string) => writtenRequest(Buffer.from(text));
const isUsage = { name: "Failure", exitCode: 2 };

describe("a request that is written down", () => {
  test("is a method and a path in one line, or the path alone", () => {
    assert.deepEqual(requestLine("POST /path?x=1"), { method: "POST", path: "/path?x=1" });
    assert.deepEqual(requestLine("delete  /a"), { method: "DELETE", path: "/a" });
    assert.deepEqual(requestLine("/a?b"), { path: "/a?b" });
    assert.deepEqual(requestLine("GET http://h:1/a?b=c#d HTTP/1.1"), {
      method: "GET",
      path: "/a?b=c",
    });
    for (const text of ["", "POST", "FETCH /a", "POST a", "POST /a b c", "GET ftp://h/a"])
      assert.throws(() => requestLine(text), isUsage, text);
  });

  test("has headers and a body as they go over the wire", () => {
    const text =
      "PUT /a HTTP/1.1\r\nHost: h\r\nX-A:  b: c \r\nContent-Length: 6\r\n\r\na\n\nb\r\n\n\n";
    assert.deepEqual(written(text), {
      ...{ method: "PUT", path: "/a", body: Buffer.from("a\n\nb\r\n") },
      headers: [
        ["Host", "h"],
        ["X-A", "b: c"],
        ["Content-Length", "6"],
      ],
    });
    const bytes = Buffer.concat([Buffer.from("POST /\n\n"), Buffer.from([0xff, 0, 0x0a, 0x0a])]);
    assert.deepEqual(writtenRequest(bytes).body, Buffer.from([0xff, 0, 0x0a, 0x0a]));
  });

  test("may have comments before it, and neither headers nor a body", () => {
    const bare = { method: "GET", path: "/a", headers: [], body: null };
    assert.deepEqual(written("### an order\n\n// of today\r\nGET /a\n"), bare);
    assert.deepEqual(written("GET /a"), bare);
    assert.deepEqual(written("GET /a\nContent-Length: 0\n\n\n").body, null);
  });

  test("that is none is refused with what was expected", () => {
    assert.throws(() => written(""), isUsage);
    assert.throws(() => written("GET /a\nno header\n\n"), /expected a header as name: value/);
    assert.throws(
      () => written("POST /\nContent-Length: 9\n\nshort"),
      /content-length is 9.*5 bytes/,
    );
    assert.throws(
      () => written("POST /\nTransfer-Encoding: chunked\n\n0\n\n"),
      /transfer-encoding/,
    );
  });
});
