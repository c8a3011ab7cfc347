import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { describe, test } from "node:test";
import { originReader } from "./caller-origin.ts";

function asked(remoteAddress: string, headers: Record<string, string>): IncomingMessage {
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

/** The address that functions are told, of `path` as X-Forwarded-For. */
function addressOf(trusted: string[], near: string, path: string): string {
  return originReader(trusted)(asked(near, { "x-forwarded-for": path })).address;
}

describe("where a request came from", () => {
  test("is the connection's other end while no proxy is trusted, whatever headers say", () => {
    const request = asked("127.0.0.1", {
      "x-forwarded-for": "1.2.3.4",
      "x-forwarded-proto": "https",
    });
    assert.deepEqual(originReader([])(request), { address: "127.0.0.1", scheme: "http" });
    const others = originReader(["10.0.0.0/8"]);
    assert.deepEqual(others(request), { address: "127.0.0.1", scheme: "http" });
  });

  test("is what a trusted proxy says", () => {
    const request = asked("127.0.0.1", {
      "x-forwarded-for": "1.2.3.4",
      "x-forwarded-proto": "https",
    });
    const origin = originReader(["127.0.0.1"])(request);
    assert.deepEqual(origin, { address: "1.2.3.4", scheme: "https" });
  });

  test("is not what a caller has written before the proxy's entry", () => {
    const told = addressOf(["127.0.0.1"], "127.0.0.1", "6.6.6.6, 10.9.9.9,1.2.3.4");
    assert.equal(told, "1.2.3.4");
  });

  test("is found behind several trusted proxies", () => {
    const trusted = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"];
    assert.equal(
      addressOf(trusted, "127.0.0.1", "6.6.6.6, 1.2.3.4, 2001:db8::7, 10.1.1.1"),
      "1.2.3.4",
    );
    assert.equal(addressOf(trusted, "::ffff:127.0.0.1", "2a00::1"), "2a00::1");
  });

  test("is the nearest proxy where it says nothing, or nothing that is an address", () => {
    for (const path of ["", "unknown", "1.2.3.4, <script>", "1.2.3.4:80", "x".repeat(9000)])
      assert.equal(addressOf(["127.0.0.1"], "127.0.0.1", path), "127.0.0.1");
  });

  test("is found in bounds, however many proxies a header names", () => {
    const path = `6.6.6.6,${"127.0.0.1,".repeat(500)}127.0.0.1`;
    assert.equal(addressOf(["127.0.0.1"], "127.0.0.1", path), "127.0.0.1");
  });

  test("has the scheme of the nearest proxy, and http for what is none", () => {
    const schemeOf = (proto: string) =>
      originReader(["127.0.0.1"])(asked("127.0.0.1", { "x-forwarded-proto": proto })).scheme;
    assert.equal(schemeOf("http, HTTPS"), "https");
    assert.equal(schemeOf("https, http"), "http");
    assert.equal(schemeOf("gopher"), "http");
  });
});
