import assert from "node:assert/strict";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { systemClock } from "../domain/clock.ts";
import { openControlPlane } from "./control-plane.fixture.ts";

const code = { files: { "index.mjs": "export default { fetch: () => new Response('hi') };" } };
const sessions = "/api/v1/functions/hello/debug-sessions";

describe("debug sessions", () => {
  test("are refused on a server whose settings do not allow them, as are connections", async (t) => {
    const plane = await openControlPlane(t, systemClock, undefined, { allowsDebugger: false });
    await plane.call("POST", "/api/v1/functions", { body: { name: "hello", code } });
    for (const [method, path] of [
      ["POST", sessions],
      ["GET", `${sessions}/dbg-1/connections`],
    ] as const) {
      const answer = await plane.call(method, path, method === "POST" ? { body: {} } : {});
      assert.equal(answer.statusCode, 409);
      assert.equal(answer.json().error.code, "debugger_off");
    }
  });

  test("are of a project: a key of another finds neither the function nor the session", async (t) => {
    const plane = await openControlPlane(t);
    await plane.call("POST", "/api/v1/functions", { body: { name: "hello", code } });
    await plane.call("POST", "/api/v1/projects", { body: { name: "other" } });
    const foreign = { scope: "deploy", project: "other" } as const;
    const own = await plane.call("POST", sessions, { ...foreign, body: {} });
    assert.equal(own.json().error.code, "not_found");
    const named = await plane.call("POST", `${sessions}?project=default`, { ...foreign, body: {} });
    assert.equal(named.json().error.code, "not_found");
    const members = await plane.call("POST", sessions, { body: { wait: "yes", port: 1 } });
    assert.equal(members.json().error.code, "invalid_request");
  });

  test("have connections for requests that upgrade alone, which take the checks of all others", async (t) => {
    const plane = await openControlPlane(t);
    const path = `${sessions}/dbg-1/connections`;
    const plain = await plane.call("GET", path);
    assert.equal(plain.json().error.code, "invalid_request");
    assert.match(plain.json().error.message, /Upgrade: isola-debugger/);
    await plane.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = plane.app.server.address() as AddressInfo;
    const authorization = await plane.keyFor("deploy");
    const upgrade = { connection: "Upgrade", upgrade: "isola-debugger" };
    const asked = (headers: Record<string, string>, at = path) =>
      answerOf({ port, path: at, headers });
    assert.equal(await asked(upgrade), 401);
    assert.equal(await asked({ ...upgrade, authorization: await plane.keyFor("read") }), 403);
    assert.equal(await asked({ ...upgrade, authorization }), 404);
    assert.equal(await asked({ ...upgrade, authorization, host: "elsewhere.example" }), 403);
    assert.equal(await asked({ ...upgrade, authorization }, "/api/v1/nothing"), 404);
    const other = { connection: "Upgrade", upgrade: "h2c", authorization };
    assert.equal(await asked(other, "/healthz"), 200);
  });
});

/** Resolves with the status, once the server has ended its answer. */
function answerOf(options: { port: number; path: string; headers: Record<string, string> }) {
  return new Promise<number | undefined>((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", agent: false, ...options }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode));
    });
    asked.once("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.once("error", reject);
    asked.end();
  });
}
