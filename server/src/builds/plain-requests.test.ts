import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type IncomingMessage,
  type Server as HttpServer,
  createServer as createHttpServer,
  request,
} from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, describe, test } from "node:test";
import { exchange, openProxy } from "./registry-proxy.fixture.ts";

describe("plain requests", () => {
  async function openOrigin(t: TestContext): Promise<{ port: number; server: HttpServer }> {
    const server = createHttpServer((asked, answer) => {
      answer.setHeader("x-seen", JSON.stringify(asked.headers));
      answer.end(`${asked.method} ${asked.url}`);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    t.after(() => server.close());
    return { port: (server.address() as AddressInfo).port, server };
  }

  async function ask(path: string, target: string, headers: Record<string, string> = {}) {
    const asked = request({ socketPath: path, path: target, headers, agent: false });
    asked.end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of answer) text += String(chunk);
    return { status: answer.statusCode, text, headers: answer.headers };
  }

  test("go to hosts that are named with http:// alone, without what is for the proxy", async (t) => {
    const { port } = await openOrigin(t);
    const path = await openProxy(t, { privateRegistries: [`http://127.0.0.1:${port}`] });
    const headers = {
      "proxy-authorization": "x",
      connection: "x-private",
      "x-private": "1",
      "x-kept": "2",
    };
    const {
      status,
      text,
      headers: given,
    } = await ask(path, `http://127.0.0.1:${port}/simple/?a=1`, headers);
    assert.equal(status, 200);
    assert.equal(text, "GET /simple/?a=1");
    const seen = JSON.parse(String(given["x-seen"])) as Record<string, string>;
    assert.deepEqual(
      [seen.host, seen["proxy-authorization"], seen["x-private"], seen["x-kept"]],
      [`127.0.0.1:${port}`, undefined, undefined, "2"],
    );
  });

  test("with a body that would be a request of its own at the registry are refused", async (t) => {
    const { port, server } = await openOrigin(t);
    const asked: string[] = [];
    server.on("request", ({ method, url }: IncomingMessage) => asked.push(`${method} ${url}`));
    const path = await openProxy(t, { privateRegistries: [`http://127.0.0.1:${port}`] });
    const hidden = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";
    const chunked = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
    const send = async (method: string, headers: string, body: string) => {
      const first = `${method} http://127.0.0.1:${port}/open HTTP/1.1\r\nhost: x\r\n`;
      const head = `${first}connection: close, content-length\r\n${headers}\r\n\r\n`;
      return exchange(path, head + body);
    };
    for (const method of ["GET", "HEAD", "DELETE", "OPTIONS"])
      for (const [headers, body] of [
        ["transfer-encoding: chunked", chunked],
        [`content-length: ${hidden.length}`, hidden],
      ] as const)
        assert.match(await send(method, headers, body), /^HTTP\/1\.1 403 /, method);
    assert.match(await send("POST", "transfer-encoding: gzip, chunked", chunked), / 403 /);
    assert.deepEqual(asked, []);
    for (const [headers, body] of [
      ["transfer-encoding: chunked", chunked],
      [`content-length: ${hidden.length}`, hidden],
    ] as const)
      assert.match(await send("POST", headers, body), / 200 [^]*POST \/open/);
    assert.match(await send("GET", "content-length: 0", ""), / 200 [^]*GET \/open/);
    assert.deepEqual(asked, ["POST /open", "POST /open", "GET /open"]);
  });

  test("are refused to all others", async (t) => {
    const { port } = await openOrigin(t);
    const path = await openProxy(t, {
      privateRegistries: [`127.0.0.1:${port}`],
      registries: ["http://registry.test"],
    });
    const targets = [
      ...[
        `http://127.0.0.1:${port}/`,
        "http://example.com/",
        "http://registry.test:8080/",
        "/",
        "/simple",
      ],
      ...[`ftp://127.0.0.1:${port}/`, `https://127.0.0.1:${port}/`, "http://a@registry.test/"],
    ];
    for (const target of targets) assert.equal((await ask(path, target)).status, 403, target);
  });
});
