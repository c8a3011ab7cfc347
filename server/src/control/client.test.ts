import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type TestContext, describe, test } from "node:test";
import { ApiError, createClient } from "@isola/api/client";
import { openControlPlane } from "./control-plane.fixture.ts";

const files = { "index.mjs": "export const handler = () => 1" };
const hello = { name: "hello", runtime: "nodejs", code: { files } };

async function openClient(t: TestContext) {
  const plane = await openControlPlane(t);
  const url = await plane.app.listen({ port: 0, host: "127.0.0.1" });
  const apiKey = (await plane.keyFor("admin")).replace("Bearer ", "");
  return { plane, url, client: createClient({ url: `${url}/`, apiKey }) };
}

describe("the client", () => {
  test("has a method for every call", async (t) => {
    const { client } = await openClient(t);
    const made = await client.createFunction(hello, { idempotencyKey: "one" });
    assert.equal(made.liveRevision, 1);
    assert.deepEqual(await client.createFunction(hello, { idempotencyKey: "one" }), made);
    const page = await client.listFunctions({ query: "hel", sort: "name", limit: 10 });
    assert.deepEqual(
      page.items.map(({ name }) => name),
      ["hello"],
    );
    const { etag } = await client.getFunction("hello");
    const patched = await client.patchFunction("hello", { memoryMiB: 256 }, { ifMatch: etag });
    assert.equal(patched.liveRevision, 2);
    const tar = await client.getCode("hello", { revision: 1 });
    assert.equal(tar.length, made.codeBytes);
    assert.equal((await client.putCode("hello", { tar })).codeDigest, made.codeDigest);
    assert.equal((await client.putCode("hello", { files })).liveRevision, 4);
    assert.equal((await client.listRevisions("hello", { limit: 1 })).items[0]?.revision, 4);
    assert.equal((await client.rollback("hello", { revision: 2 })).liveRevision, 2);
    assert.equal((await client.invoke("hello", { event: 5 })).body, "5");
    assert.deepEqual((await client.listInvocations("hello")).items, []);
    assert.deepEqual((await client.listAllInvocations({ outcome: ["ok"] })).items, []);
    assert.deepEqual((await client.listLogs("hello", { order: "newest" })).items, []);
    const { id } = await client.createKey({ name: "ci", scopes: ["read"] });
    assert.equal((await client.listKeys()).items.length, 2);
    assert.notEqual((await client.revokeKey(id)).revokedAt, null);
    assert.equal((await client.listDrivers()).items[0]?.name, "process");
    assert.equal((await client.listRuntimes()).items.length, 4);
    assert.equal((await client.getSystem()).gateway?.functions, 1);
    assert.equal((await client.getHealth()).status, "ok");
    assert.equal((await client.getReadiness()).status, "ready");
    assert.deepEqual(await client.deleteFunction("hello"), { name: "hello", applied: true });
  });

  test("rejects with all that the server says of a failure", async (t) => {
    const { client, url } = await openClient(t);
    const wrong = { ...hello, memoryMiB: 1, timeoutMs: 0 };
    await assert.rejects(client.createFunction(wrong), (error) => {
      assert.ok(error instanceof ApiError);
      assert.equal(error.status, 400);
      assert.equal(error.code, "invalid_request");
      assert.deepEqual(
        error.details.map(({ path }) => path),
        ["memoryMiB", "timeoutMs"],
      );
      assert.match(error.requestId, /^[0-9a-f-]{36}$/);
      return true;
    });
    await assert.rejects(client.getFunction("../keys"), { status: 400 });
    await assert.rejects(client.getInvocation("nothing"), { status: 404, code: "not_found" });
    const stranger = createClient({ url });
    await assert.rejects(stranger.listKeys(), { status: 401, code: "unauthenticated" });
  });

  test("says so where no server answers, something else does, or it takes too long", async (t) => {
    const other = createServer((request, response) => {
      if (request.url === "/readyz") return;
      response.statusCode = request.url === "/healthz" ? 502 : 200;
      response.end("<html>");
    });
    t.after(() => other.close());
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const client = createClient({ url: `http://127.0.0.1:${port}`, timeoutMs: 200 });
    await assert.rejects(client.getHealth(), { status: 502, code: "bad_answer" });
    await assert.rejects(client.getSystem(), { status: 200, code: "bad_answer" });
    await assert.rejects(client.getReadiness(), { status: 0, code: "unreachable" });
    const gone = AbortSignal.abort(new Error("given up"));
    await assert.rejects(client.getHealth({ signal: gone }), /given up/);
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
    await assert.rejects(client.getHealth(), { status: 0, code: "unreachable" });
  });
});
