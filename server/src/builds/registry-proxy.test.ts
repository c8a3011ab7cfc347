import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import {
  type IncomingMessage,
  type Server as HttpServer,
  createServer as createHttpServer,
  request,
} from "node:http";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { type Registry, parseRegistry } from "../domain/registry.ts";
import { type ProxyLimits, RegistryProxy, defaultProxyLimits } from "./registry-proxy.ts";
import { RegistryRoute, type RegistryRouteOptions } from "./registry-route.ts";
import { upstreamProxy } from "./upstream-proxy.ts";

interface Given {
  registries?: string[];
  privateRegistries?: string[];
  resolve?: RegistryRouteOptions["resolve"];
  upstream?: RegistryRouteOptions["upstream"];
  limits?: Partial<ProxyLimits>;
}

const registriesOf = (texts: string[] = []) => texts.map((text) => parseRegistry(text) as Registry);

/** Path of the socket of a proxy that ends with the test. */
async function openProxy(t: TestContext, given: Given): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "isola-proxy-"));
  const route = new RegistryRoute({
    registries: registriesOf(given.registries),
    privateRegistries: registriesOf(given.privateRegistries),
    upstream: given.upstream ?? null,
    ...(given.resolve && { resolve: given.resolve }),
  });
  const proxy = new RegistryProxy(route, { ...defaultProxyLimits, ...given.limits });
  const path = join(dir, "p.sock");
  await proxy.listen(path);
  t.after(async () => {
    await proxy.close();
    rmSync(dir, { recursive: true });
  });
  return path;
}

/** A server that answers every connection with what it was sent. */
async function openEcho(
  t: TestContext,
): Promise<{ port: number; server: Server; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.pipe(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server, sockets };
}

/** Sends text over a fresh connection and resolves with everything that came until it ended. */
async function exchange(path: string, text: string, more: string = ""): Promise<string> {
  const socket = connect({ path });
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
    if (more !== "" && seen.includes("\r\n\r\n")) {
      socket.end(more);
      more = "";
    }
  });
  socket.on("error", () => {});
  socket.write(text);
  await new Promise((resolve) => socket.once("close", resolve));
  return seen;
}

const connectTo = (authority: string) =>
  `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`;

describe("CONNECT", () => {
  test("passes bytes on both ways to a host and port that are named", async (t) => {
    const { port } = await openEcho(t);
    const path = await openProxy(t, { privateRegistries: [`localhost:${port}`] });
    const seen = await exchange(path, connectTo(`localhost:${port}`), "ping");
    assert.match(seen, /^HTTP\/1\.1 200 [^\r]*\r\n\r\nping$/);
  });

  test("refuses every host and port that is not named, and says which setting names them", async (t) => {
    const { port, sockets } = await openEcho(t);
    const path = await openProxy(t, {
      privateRegistries: [`localhost:${port}`, `http://127.0.0.1:${port}`],
    });
    const others = [
      ...[
        `localhost:${port + 1}`,
        "localhost:443",
        "localhost:80",
        "example.com:443",
        `127.0.0.1:${port}`,
      ],
      ...[
        `localhost.:${port}`,
        `x.localhost:${port}`,
        `localhost.evil.com:${port}`,
        `[::1]:${port}`,
      ],
      ...[
        "localhost",
        `http://localhost:${port}`,
        `localhost:${port}/x`,
        `a@localhost:${port}`,
        `localhost:0${port}`,
      ],
    ];
    for (const authority of others) {
      const seen = await exchange(path, connectTo(authority));
      assert.match(seen, /^HTTP\/1\.1 (?:403|400) /, authority);
    }
    assert.match(await exchange(path, connectTo("example.com:443")), /buildRegistries/);
    assert.equal(sockets.size, 0);
  });

  test("refuses a named host with an address that is not public, unless it is named as private", async (t) => {
    const { port, sockets } = await openEcho(t);
    for (const address of ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1"]) {
      const path = await openProxy(t, {
        registries: [`registry.test:${port}`],
        resolve: async () => ["203.0.113.1", address],
      });
      const seen = await exchange(path, connectTo(`registry.test:${port}`));
      assert.match(seen, /^HTTP\/1\.1 403 .*not public/, address);
    }
    assert.equal(sockets.size, 0);
    const literal = await openProxy(t, { registries: [`127.0.0.1:${port}`] });
    assert.match(await exchange(literal, connectTo(`127.0.0.1:${port}`)), /^HTTP\/1\.1 403 /);
  });

  test("asks for the addresses of a name once, and connects to what it looked at: other answers later gain nothing", async (t) => {
    const { port } = await openEcho(t);
    const asked: string[] = [];
    const path = await openProxy(t, {
      // Nobody else knows this name: a second look-up would fail.
      privateRegistries: [`rebinding.test:${port}`],
      resolve: async (host) => {
        asked.push(host);
        return ["127.0.0.1"];
      },
    });
    assert.match(await exchange(path, connectTo(`rebinding.test:${port}`), "x"), /\r\nx$/);
    assert.deepEqual(asked, ["rebinding.test"]);
  });

  test("says so where nobody answers", async (t) => {
    const { port, server } = await openEcho(t);
    server.close();
    const path = await openProxy(t, { privateRegistries: [`localhost:${port}`] });
    assert.match(
      await exchange(path, connectTo(`localhost:${port}`)),
      /^HTTP\/1\.1 502 .*ECONNREFUSED/,
    );
  });

  test("ends the other side when one side is gone", async (t) => {
    const { port, sockets } = await openEcho(t);
    const path = await openProxy(t, { privateRegistries: [`localhost:${port}`] });
    const socket = connect({ path });
    socket.write(connectTo(`localhost:${port}`));
    await once(socket, "data");
    assert.equal(sockets.size, 1);
    socket.destroy();
    while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

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

describe("bounds", () => {
  test("headers above 16 KiB are refused", async (t) => {
    const path = await openProxy(t, {});
    const head = `CONNECT a:443 HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(20_000)}\r\n\r\n`;
    assert.match(await exchange(path, head), /^HTTP\/1\.1 431 /);
  });

  test("a connection that never finishes its headers is cut", async (t) => {
    const path = await openProxy(t, { limits: { headersTimeoutMs: 100 } });
    const seen = await exchange(path, "CONNECT a:443 HTTP/1.1\r\nhost");
    assert.match(seen, /^(?:HTTP\/1\.1 408 |$)/);
  });

  test("one that is refused and does not end its own side is cut", async (t) => {
    const path = await openProxy(t, {});
    const socket = connect({ path, allowHalfOpen: true });
    socket.write(connectTo("a:443"));
    socket.resume();
    await once(socket, "end");
    const failed = new Promise((resolve) => socket.once("error", resolve));
    const writing = setInterval(() => socket.write("x"), 5);
    assert.equal(((await failed) as NodeJS.ErrnoException).code, "EPIPE");
    clearInterval(writing);
  });

  test("a tunnel in which nothing moves is cut", async (t) => {
    const { port, sockets } = await openEcho(t);
    const path = await openProxy(t, {
      privateRegistries: [`localhost:${port}`],
      limits: { idleTimeoutMs: 100 },
    });
    assert.match(await exchange(path, connectTo(`localhost:${port}`)), /^HTTP\/1\.1 200 /);
    while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test("connections above the limit are closed, those within it go on", async (t) => {
    const { port } = await openEcho(t);
    const path = await openProxy(t, {
      privateRegistries: [`localhost:${port}`],
      limits: { connectionsMax: 4 },
    });
    const held = Array.from({ length: 4 }, () => connect({ path }));
    for (const socket of held) {
      socket.on("error", () => {});
      socket.write(connectTo(`localhost:${port}`));
      await once(socket, "data");
    }
    assert.equal(await exchange(path, connectTo(`localhost:${port}`)), "");
    held[0]?.write("still here");
    const [said] = (await once(held[0] as Socket, "data")) as [Buffer];
    assert.equal(said.toString(), "still here");
    for (const socket of held) socket.destroy();
  });

  test("what all connections move together is bounded", async (t) => {
    const { port } = await openEcho(t);
    const path = await openProxy(t, {
      privateRegistries: [`localhost:${port}`],
      limits: { bytesMax: 100_000 },
    });
    const seen = await exchange(path, connectTo(`localhost:${port}`), "x".repeat(300_000));
    assert.ok(seen.length < 110_000, `${seen.length} bytes came back`);
  });
});

describe("the proxy of this machine", () => {
  test("is asked for every host but those that it names as exceptions", async (t) => {
    const { port } = await openEcho(t);
    const asked: string[] = [];
    const outer = createHttpServer();
    outer.on("connect", (request, socket: Socket) => {
      asked.push(`${request.url} ${request.headers["proxy-authorization"]}`);
      if (request.url === "denied.test:443") return socket.end("HTTP/1.1 407 No\r\n\r\n");
      const onward = connect(port, "127.0.0.1");
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(onward).pipe(socket);
      return undefined;
    });
    await once(outer.listen(0, "127.0.0.1"), "listening");
    t.after(() => outer.close());
    const outerPort = (outer.address() as AddressInfo).port;
    const upstream = upstreamProxy({
      HTTPS_PROXY: `http://user:p%40ss@127.0.0.1:${outerPort}`,
      NO_PROXY: ".internal.test, localhost",
    });
    const path = await openProxy(t, {
      upstream,
      registries: ["registry.test", "denied.test", "a.internal.test"],
      resolve: async () => ["10.0.0.1"],
    });
    assert.match(await exchange(path, connectTo("registry.test:443"), "hello"), /hello$/);
    assert.match(await exchange(path, connectTo("denied.test:443")), /^HTTP\/1\.1 502 .*407/);
    assert.match(
      await exchange(path, connectTo("a.internal.test:443")),
      /^HTTP\/1\.1 403 .*not public/,
    );
    assert.match(await exchange(path, connectTo("other.test:443")), /^HTTP\/1\.1 403 /);
    const basic = `Basic ${Buffer.from("user:p@ss").toString("base64")}`;
    assert.deepEqual(asked, [`registry.test:443 ${basic}`, `denied.test:443 ${basic}`]);
  });

  test("is none where the environment names none", () => {
    assert.equal(upstreamProxy({}), null);
    assert.equal(upstreamProxy({ HTTPS_PROXY: "" }), null);
  });
});
