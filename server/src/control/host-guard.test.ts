import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostGuard } from "./host-guard.ts";

const guard = hostGuard(["isola.example.com", "::2"]);

describe("the host guard", () => {
  for (const host of [
    ...["localhost", "localhost:8081", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8081"],
    ...["[::1]", "[::1]:8081", "isola.example.com", "Isola.Example.com:443", "[::2]:1"],
  ])
    test(`lets Host ${host} pass`, () => guard("GET", { host }));

  for (const host of [
    ...["evil.example", "localhost.evil.example", "127.0.0.2", "::1", "localhost.", "", "a b"],
    ...["localhost:8081@evil", "localhost:999999", "[::1", "localhost/", "[::3]"],
  ])
    test(`refuses Host ${JSON.stringify(host)}`, () =>
      assert.throws(() => guard("GET", { host }), { code: "forbidden" }));

  test("refuses a call without Host", () =>
    assert.throws(() => guard("GET", {}), { code: "forbidden" }));

  for (const origin of [
    "https://evil.example",
    "null",
    "http://localhost:9999",
    "http://localhost",
  ])
    test(`refuses an unsafe call from the origin ${origin}`, () => {
      const headers = { host: "localhost:8081", origin };
      assert.throws(() => guard("POST", headers), { code: "forbidden" });
      guard("GET", headers);
    });

  test("takes an unsafe call from its own origin and from what is no browser", () => {
    guard("POST", { host: "localhost:8081", origin: "http://localhost:8081" });
    guard("DELETE", { host: "localhost:8081" });
    guard("POST", { host: "localhost", "sec-fetch-site": "same-origin" });
    guard("POST", { host: "localhost", "sec-fetch-site": "none" });
  });

  for (const site of ["cross-site", "same-site", "other"])
    test(`refuses an unsafe call with Sec-Fetch-Site ${site}`, () =>
      assert.throws(() => guard("PUT", { host: "localhost", "sec-fetch-site": site }), {
        code: "forbidden",
      }));
});
