import assert from "node:assert/strict";
import { test, describe } from "node:test";
import fastify from "fastify";
import { Authenticator } from "../auth/authenticator.ts";
import { Sessions } from "../auth/sessions.ts";
import { systemClock } from "../domain/clock.ts";
import { openControlPlane, operationsOf } from "./control-plane.fixture.ts";
import { enforcePolicies } from "./request-policy.ts";

const allScopes = ["admin", "deploy", "invoke", "read"] as const;
type Scope = (typeof allScopes)[number];

const open = new Set(["GET /healthz", "GET /readyz", "POST /api/v1/session"]);

/** The matrix as docs state it, apart from how routes declare it. */
function allowedScopes(method: string, path: string): readonly Scope[] {
  if (path.startsWith("/api/v1/keys")) return ["admin"];
  if (path.startsWith("/api/v1/session")) return allScopes;
  if (path.startsWith("/api/v1/projects") && method !== "GET") return ["admin"];
  if (["/api/v1/images", "/api/v1/vm", "/api/v1/vm/kernel"].includes(path) && method !== "GET")
    return ["admin"];
  if (method === "POST" && /\/(invocations|warm|run)$/.test(path)) return ["admin", "invoke"];
  if (path.includes("/debug-sessions")) return ["admin", "deploy"];
  return method === "GET" ? ["admin", "deploy", "read"] : ["admin", "deploy"];
}

function urlOf(path: string): string {
  return path.replaceAll(/\{\w+\}/g, "nothing");
}

describe("every route", () => {
  test("lets exactly the scopes of the matrix in", async (t) => {
    const plane = await openControlPlane(t);
    const operations = operationsOf(plane.app).filter(
      ({ method, path }) => !open.has(`${method} ${path}`),
    );
    assert.ok(operations.length >= 19, "the description lists every operation");
    for (const { method, path } of operations) {
      const allowed = allowedScopes(method, path);
      for (const scope of allScopes) {
        const { statusCode } = await plane.call(method, urlOf(path), { scope });
        const isAllowed = allowed.includes(scope);
        assert.equal(statusCode !== 403, isAllowed, `${scope} ${method} ${path}: ${statusCode}`);
        assert.notEqual(statusCode, 401);
      }
    }
  });

  test("but the open ones answers 401 without a key, with a wrong one, and with a revoked one", async (t) => {
    const plane = await openControlPlane(t);
    const right = await plane.keyFor("admin");
    const wrong = `${right.slice(0, -1)}${right.endsWith("0") ? "1" : "0"}`;
    const key = (
      await plane.call("POST", "/api/v1/keys", { body: { name: "x", scopes: ["admin"] } })
    ).json();
    await plane.call("DELETE", `/api/v1/keys/${key.id}`);
    const attempts = [
      ...["", "Bearer", "Bearer x", wrong, `${right} x`, right.replace("Bearer", "Basic")],
      ...[right.replace("Bearer ", ""), `Bearer ${key.key}`],
    ];
    for (const { method, path } of operationsOf(plane.app)) {
      const isOpen = open.has(`${method} ${path}`);
      const bare = await plane.call(method, urlOf(path), { scope: null });
      assert.equal(bare.statusCode === 401, !isOpen, `${method} ${path}`);
      if (isOpen) continue;
      for (const authorization of attempts) {
        const headers = { authorization };
        const refused = await plane.call(method, urlOf(path), { scope: null, headers });
        assert.equal(refused.statusCode, 401, `${method} ${path} ${authorization.slice(0, 20)}`);
        assert.equal(refused.headers["www-authenticate"], "Bearer");
      }
    }
  });

  test("is refused at registration when it declares no policy, or takes no project and is about one", async (t) => {
    const app = fastify();
    t.after(() => app.close());
    const { store } = await openControlPlane(t);
    const authenticator = new Authenticator({ store, clock: systemClock, onProblem() {} });
    const sessions = new Sessions({ store, authenticator, clock: systemClock });
    enforcePolicies(app, { authenticator, sessions, store, foreignPolicies: new Map() });
    assert.throws(() => app.get("/bare", async () => ({})), /GET \/bare declares no policy/);
    const config = { policy: { scope: "read", reach: "project" } } as const;
    assert.throws(() => app.get("/of-one", { config }, async () => ({})), /does not take one/);
    app.get("/open", { config: { policy: "open" } }, async () => ({}));
  });

  test("that takes a body refuses a call of another site, and a Host that is not ours", async (t) => {
    const plane = await openControlPlane(t);
    for (const { method, path } of operationsOf(plane.app)) {
      const foreign = await plane.call(method, urlOf(path), { headers: { host: "evil.example" } });
      assert.equal(foreign.statusCode, 403, `${method} ${path}`);
      const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
      const crossed = await plane.call(method, urlOf(path), { headers });
      assert.equal(crossed.statusCode === 403, method !== "GET", `${method} ${path}`);
    }
  });
});

describe("the documents", () => {
  test("are open, load nothing from elsewhere, and describe every call", async (t) => {
    const { app } = await openControlPlane(t);
    const openApi = (await app.inject("/openapi.json")).json();
    assert.equal(openApi.openapi, "3.1.0");
    for (const methods of Object.values(openApi.paths))
      for (const operation of Object.values(methods as Record<string, { summary?: string }>))
        assert.ok(operation.summary);
    const page = await app.inject("/docs/");
    assert.equal(page.statusCode, 200);
    assert.doesNotMatch(page.body, /https?:\/\//);
    const policy = String(page.headers["content-security-policy"]);
    assert.match(policy, /default-src 'none'; script-src 'self' 'sha256-/);
    assert.doesNotMatch(policy, /https?:|\*/);
    const script = await app.inject("/docs/js/scalar.js");
    assert.match(String(script.headers["content-type"]), /javascript/);
    assert.ok(script.body.length > 1_000_000);
  });
});
