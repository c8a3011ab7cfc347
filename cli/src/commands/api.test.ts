import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, describe, test } from "node:test";
import { fakeKey } from "../../test/fake-api.ts";
import { runIsola, workplace } from "../../test/run-isola.ts";

interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

/** A server that answers as a test wants, and remembers what it was asked. */
async function serving(
  t: TestContext,
  answer: (asked: Asked) => [number, string, string | Buffer],
) {
  const { dir } = await workplace(t);
  const calls: Asked[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      calls.push({ method, url, headers, body });
      const [status, type, text] = answer({ method, url, headers, body });
      response.writeHead(status, { "content-type": type });
      if (text === "broken") response.write("{", () => response.destroy());
      else response.end(text);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { ISOLA_URL: url, ISOLA_API_KEY: fakeKey };
  return {
    calls,
    url,
    isola: (...argv: string[]) => runIsola(["api", ...argv], { env, cwd: dir }),
  };
}

describe("isola api", { timeout: 30_000 }, () => {
  test("sends what it is given, with the key, below /api/v1/ unless the path begins with /", async (t) => {
    const { calls, isola } = await serving(t, () => [
      200,
      "application/json",
      JSON.stringify({ a: "\u001b" }),
    ]);
    const put = await isola(
      "patch",
      "functions/x?y=1",
      "--data",
      '{"b":1}',
      "--header",
      "If-Match: 1",
    );
    assert.equal(put.stdout, '{\n  "a": "\\u001b"\n}\n');
    const [{ method, url, headers, body } = { headers: {} as Asked["headers"] }] = calls;
    assert.deepEqual([method, url, body], ["PATCH", "/api/v1/functions/x?y=1", '{"b":1}']);
    assert.deepEqual(
      [headers.authorization, headers["content-type"], headers["if-match"]],
      [`Bearer ${fakeKey}`, "application/json", "1"],
    );
    await isola("PUT", "/raw", "--data", "text", "--header", "content-type: text/plain");
    assert.deepEqual([calls[1]?.url, calls[1]?.headers["content-type"]], ["/raw", "text/plain"]);
  });

  test("exits 1 on a status from 400, with the answer; --include and --json tell of it", async (t) => {
    const { isola } = await serving(t, () => [404, "application/json", '{"error":{}}']);
    const plain = await isola("GET", "x");
    assert.deepEqual([plain.exitCode, plain.stdout], [1, '{\n  "error": {}\n}\n']);
    const included = await isola("GET", "x", "-i");
    assert.match(included.stdout, /^404 Not Found\n(.+\n)*content-type: application\/json\n/);
    const json = await isola("GET", "x", "--json");
    const { status, headers, body } = JSON.parse(json.stdout);
    assert.deepEqual(
      [json.exitCode, status, headers["content-type"], body],
      [1, 404, "application/json", { error: {} }],
    );
  });

  test("follows the pages of a list to its end", async (t) => {
    const { calls, isola } = await serving(t, ({ url }) => {
      const at = Number(new URL(url, "http://x").searchParams.get("cursor") ?? 0);
      if (url.includes("bad") && at === 1) return [500, "application/json", '{"no":1}'];
      const nextCursor = at < 2 ? String(at + 1) : null;
      return [200, "application/json", JSON.stringify({ items: [at], nextCursor })];
    });
    const { stdout } = await isola("GET", "functions?limit=1", "--paginate");
    assert.deepEqual(JSON.parse(stdout), { items: [0, 1, 2], nextCursor: null });
    assert.equal(calls.at(-1)?.url, "/api/v1/functions?limit=1&cursor=2");
    const bad = await isola("GET", "bad", "--paginate");
    assert.equal(bad.exitCode, 1);
    assert.match(bad.stderr, /page 2 came with status 500/);
  });

  test("gives other bodies as they come, and says where one breaks off", async (t) => {
    const { isola } = await serving(t, ({ url }) => {
      if (url === "/cut") return [200, "application/json", "broken"];
      if (url === "/list") return [200, "application/json", "[]"];
      return [200, "application/x-tar", url === "/text" ? "text" : Buffer.from([255, 0])];
    });
    assert.equal((await isola("GET", "/text")).stdout, "text");
    const binary = await isola("GET", "/tar", "--json");
    assert.equal(binary.exitCode, 1);
    assert.match(binary.stdout, /leave out --json to have its bytes/);
    const cut = await isola("GET", "/cut");
    assert.equal(cut.exitCode, 3);
    assert.match(cut.stderr, /broke off/);
    assert.match((await isola("GET", "/list", "--paginate")).stderr, /needs a list/);
  });

  test("calls no other server, whatever the path, and refuses what is no call", async (t) => {
    const { calls, isola } = await serving(t, () => [200, "application/json", "{}"]);
    for (const path of ["//192.0.2.1/x", "http://192.0.2.1/x", "@192.0.2.1", "/../../x"])
      assert.equal((await isola("GET", path)).exitCode, 0, path);
    assert.equal(calls.length, 4);
    const secret = "s3cret\n";
    for (const argv of [
      ["FETCH", "x"],
      ["GET", "x", "--data", "1"],
      ["POST", "x", "--paginate"],
      ["GET", "a b"],
      ["GET", "\u00e9"],
      ["GET", "x", "--header", `a: ${secret}b`],
      ["GET", "x", "--header", "s3cret"],
    ]) {
      const { exitCode, stderr } = await isola(...argv);
      assert.equal(exitCode, 2, argv.join(" "));
      assert.ok(!stderr.includes("s3cret"), stderr);
    }
    assert.equal(calls.length, 4);
  });
});
