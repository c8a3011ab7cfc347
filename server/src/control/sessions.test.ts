import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../domain/clock.ts";
import { type ControlFixture, openControlPlane } from "./control-plane.fixture.ts";

const HOUR_MS = 3_600_000;
const host = "127.0.0.1:8081";
const page = { host, origin: `http://${host}` };

async function signIn(plane: ControlFixture, body: object, headers: Record<string, string> = page) {
  const answer = await plane.call("POST", "/api/v1/session", { scope: null, body, headers });
  const cookie = String(answer.headers["set-cookie"] ?? "").split(";")[0] as string;
  return { answer, cookie };
}

async function keyOf(plane: ControlFixture, scope: "admin" | "read" = "admin") {
  return (await plane.keyFor(scope)).replace("Bearer ", "");
}

describe("a session of the console", () => {
  test("is opened by a key, acts as that key, and ends with signing out", async (t) => {
    const plane = await openControlPlane(t);
    const { answer, cookie } = await signIn(plane, { key: await keyOf(plane, "read") });
    assert.equal(answer.statusCode, 201);
    assert.match(
      String(answer.headers["set-cookie"]),
      /^__Host-isola-session=[0-9a-f]{64}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    );
    const asPage = { scope: null, headers: { ...page, cookie } };
    const who = (await plane.call("GET", "/api/v1/session", asPage)).json();
    assert.deepEqual(who.scopes, ["read"]);
    assert.ok(Date.parse(who.expiresAt) > Date.now());
    assert.equal((await plane.call("GET", "/api/v1/functions", asPage)).statusCode, 200);
    const refused = await plane.call("GET", "/api/v1/keys", asPage);
    assert.equal(refused.statusCode, 403);
    const out = await plane.call("DELETE", "/api/v1/session", asPage);
    assert.equal(out.statusCode, 204);
    assert.match(String(out.headers["set-cookie"]), /Max-Age=0$/);
    assert.equal((await plane.call("GET", "/api/v1/functions", asPage)).statusCode, 401);
  });

  test("changes nothing without the page's own origin", async (t) => {
    const plane = await openControlPlane(t);
    const { cookie } = await signIn(plane, { key: await keyOf(plane) });
    for (const origin of [undefined, "http://127.0.0.1:8080", "https://evil.example", "null"]) {
      const headers = { host, cookie, ...(origin !== undefined && { origin }) };
      const body = { name: "x", scopes: ["read"] };
      const answer = await plane.call("POST", "/api/v1/keys", { scope: null, headers, body });
      assert.equal(answer.statusCode, 403, String(origin));
    }
    const headers = { ...page, cookie };
    const body = { name: "x", scopes: ["read"] };
    const answer = await plane.call("POST", "/api/v1/keys", { scope: null, headers, body });
    assert.equal(answer.statusCode, 201);
  });

  test("ends with its key, and 12 hours after its last use", async (t) => {
    let now = Date.now();
    const plane = await openControlPlane(t, { ...systemClock, wall: () => now });
    const { cookie } = await signIn(plane, { key: await keyOf(plane) });
    const asPage = { scope: null, headers: { ...page, cookie } };
    const status = async () => (await plane.call("GET", "/api/v1/system", asPage)).statusCode;
    now += 11 * HOUR_MS;
    assert.equal(await status(), 200);
    now += 11 * HOUR_MS;
    assert.equal(await status(), 200);
    const other = await signIn(plane, { key: await keyOf(plane) });
    now += 12 * HOUR_MS;
    assert.equal(await status(), 401);
    const { keyId } = other.answer.json();
    const fresh = await signIn(plane, { key: await keyOf(plane) });
    await plane.store.revokeKey(keyId);
    const headers = { ...page, cookie: fresh.cookie };
    const gone = await plane.call("GET", "/api/v1/system", { scope: null, headers });
    assert.equal(gone.statusCode, 401);
    assert.match(gone.json().error.message, /revoked/);
  });

  test("is not opened with a wrong key, a forged cookie, both or neither, or where its cookie would not be kept", async (t) => {
    const plane = await openControlPlane(t);
    const key = await keyOf(plane);
    for (const body of [{}, { key, link: "x" }])
      assert.equal((await signIn(plane, body)).answer.statusCode, 400);
    for (const body of [{ key: "isola_x_y" }, { key: `${key}0` }, { link: "0".repeat(64) }])
      assert.equal((await signIn(plane, body)).answer.statusCode, 401);
    const { answer } = await signIn(plane, { key }, { host: "127.0.0.1.evil.example" });
    assert.equal(answer.statusCode, 403);
    for (const cookie of ["__Host-isola-session=", `__Host-isola-session=${"0".repeat(64)}`]) {
      const headers = { ...page, cookie };
      const forged = await plane.call("GET", "/api/v1/system", { scope: null, headers });
      assert.equal(forged.statusCode, 401);
    }
  });
});

describe("a sign-in link", () => {
  test("signs in once, as the key that made it", async (t) => {
    let now = Date.now();
    const plane = await openControlPlane(t, { ...systemClock, wall: () => now });
    const make = async () => {
      const made = await plane.call("POST", "/api/v1/session/links", { scope: "read" });
      assert.equal(made.statusCode, 201);
      return { link: String(made.json().path).replace("/#sign-in=", "") };
    };
    const link = await make();
    const { answer } = await signIn(plane, link);
    assert.deepEqual(answer.json().scopes, ["read"]);
    assert.equal((await signIn(plane, link)).answer.statusCode, 401);
    const late = await make();
    now += 600_000;
    assert.equal((await signIn(plane, late)).answer.statusCode, 401);
  });
});
