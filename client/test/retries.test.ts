import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, describe, test } from "node:test";
import { createClient, isApiError } from "@isola/client";

type Turn = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers in turn, the last answer again and again, and hears what was asked. */
async function serve(t: TestContext, ...turns: Turn[]) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers["idempotency-key"] as string | undefined);
    turns[Math.min(asked.length, turns.length) - 1]?.(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, url };
}

const answer =
  (status: number, headers: Record<string, string> = {}): Turn =>
  (_request, response) => {
    const error = { code: "not_ready", message: "no", requestId: "r", details: [] };
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(status < 400 ? { items: [], nextCursor: null } : { error }));
  };
const now = { "retry-after": "0" };
const cut: Turn = (request) => request.socket.destroy();

describe("a call that failed", () => {
  test("is made again where it only reads, up to `retries` times", async (t) => {
    const passing = await serve(t, answer(503, now), cut, answer(429, now), answer(200));
    const client = createClient({ url: passing.url, retries: 3 });
    assert.deepEqual(await client.listFunctions(), { items: [], nextCursor: null });
    assert.equal(passing.asked.length, 4);
    const lasting = await serve(t, answer(503, now));
    const other = createClient({ url: lasting.url, retries: 2 });
    await assert.rejects(other.listFunctions(), { status: 503, code: "not_ready" });
    assert.equal(lasting.asked.length, 3);
  });

  test("is made again with its Idempotency-Key where it changes something, and without one not", async (t) => {
    const keyed = await serve(t, cut, answer(502, now), answer(200));
    const idempotencyKey = "one";
    const client = createClient({ url: keyed.url });
    await client.rollback("a", { revision: 1 }, { idempotencyKey });
    assert.deepEqual(keyed.asked, ["one", "one", "one"]);
    for (const turn of [cut, answer(503, now), answer(502, now)]) {
      const bare = await serve(t, turn, answer(200));
      await assert.rejects(
        createClient({ url: bare.url }).rollback("a", { revision: 1 }),
        isApiError,
      );
      assert.equal(bare.asked.length, 1, "nobody knows what came of it");
    }
    const refused = await serve(t, answer(429, now), answer(200));
    await createClient({ url: refused.url }).rollback("a", { revision: 1 });
    assert.equal(refused.asked.length, 2, "nothing was done");
  });

  test("is not made again where that would help nobody, or is to wait too long", async (t) => {
    for (const turn of [
      answer(404),
      answer(409),
      answer(500),
      answer(503, { "retry-after": "3600" }),
    ]) {
      const server = await serve(t, turn, answer(200));
      await assert.rejects(createClient({ url: server.url }).listFunctions(), isApiError);
      assert.equal(server.asked.length, 1);
    }
  });

  test("is given up in a pause when its signal aborts", async (t) => {
    const server = await serve(t, (request, response) => {
      answer(503, { "retry-after": "30" })(request, response);
      setImmediate(() => giving.abort(new Error("enough")));
    });
    const giving = new AbortController();
    const client = createClient({ url: server.url });
    await assert.rejects(client.listFunctions({}, { signal: giving.signal }), /enough|aborted/);
    assert.equal(server.asked.length, 1);
  });
});

test("options that no call could work with are refused at once, with what was expected and given", () => {
  const url = "http://127.0.0.1:8081";
  const wrong: [options: object, message: RegExp][] = [
    [{}, /url must be an address such as http:.* given: undefined/],
    [{ url: "" }, /url must be an address/],
    [{ url: "127.0.0.1:8081" }, /url must be an address/],
    [{ url: "file:///etc/passwd" }, /url must be an address/],
    [
      { url: "http://me:secret@127.0.0.1" },
      /^TypeError: url must hold no user name and no password(?!.*secret)/,
    ],
    [{ url, functionsUrl: "functions" }, /functionsUrl must be an address/],
    [{ url, retries: 11 }, /retries must be a whole number up to 10, given: 11/],
    [{ url, retries: Number.NaN }, /retries must be/],
    [{ url, timeoutMs: 0 }, /timeoutMs must be from 1 to/],
  ];
  for (const [options, message] of wrong)
    assert.throws(() => createClient(options as { url: string }), message);
});
