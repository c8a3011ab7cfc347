import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { describe, test } from "node:test";
import { helloFor, record } from "./client-hello.fixture.ts";
import { connectTo, exchange, openEcho, openProxy, talk } from "./registry-proxy.fixture.ts";
import { upstreamProxy } from "./upstream-proxy.ts";

describe("CONNECT", () => {
  test("passes bytes on both ways to a host and port that are named", async (t) => {
    const { port } = await openEcho(t);
    const path = await openProxy(t, { privateRegistries: [`localhost:${port}`] });
    const said = talk("localhost", record(23, Buffer.from("ping")).toString("latin1"));
    const seen = await exchange(path, connectTo(`localhost:${port}`), said);
    assert.match(seen, /^HTTP\/1\.1 200 /);
    assert.equal(seen.slice(seen.indexOf("\r\n\r\n") + 4), said);
  });

  test("lets through TLS to that host alone: what else the addresses of a registry serve is not reached", async (t) => {
    const { port, server } = await openEcho(t);
    const got: Buffer[] = [];
    server.on("connection", (socket) => socket.on("data", (chunk: Buffer) => got.push(chunk)));
    const path = await openProxy(t, { privateRegistries: [`localhost:${port}`] });
    for (const said of [talk("evil.test", ""), "GET / HTTP/1.1\r\n\r\n"]) {
      assert.match(await exchange(path, connectTo(`localhost:${port}`), said), /\r\n\r\n$/);
      const early = await exchange(path, connectTo(`localhost:${port}`) + said);
      assert.match(early, /\r\n\r\n$/);
    }
    assert.deepEqual(got, []);
    const quick = connectTo(`localhost:${port}`) + talk("localhost", "");
    assert.match(
      await exchange(path, quick, record(23, Buffer.from("x")).toString("latin1")),
      /x$/,
    );
  });

  test("cuts one that says nothing, or only part of its first message", async (t) => {
    const { port, sockets } = await openEcho(t);
    const limits = { helloTimeoutMs: 50 };
    const path = await openProxy(t, { privateRegistries: [`localhost:${port}`], limits });
    for (const said of ["", talk("localhost", "").slice(0, 30)]) {
      assert.match(await exchange(path, connectTo(`localhost:${port}`) + said), /\r\n\r\n$/);
      while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
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
    assert.match(
      await exchange(path, connectTo(`rebinding.test:${port}`), talk("rebinding.test", "")),
      /rebinding\.test$/,
    );
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
    held[0]?.write(helloFor("localhost"));
    const [said] = (await once(held[0] as Socket, "data")) as [Buffer];
    assert.deepEqual(said, helloFor("localhost"));
    for (const socket of held) socket.destroy();
  });

  test("what all connections move together is bounded", async (t) => {
    const { port } = await openEcho(t);
    const path = await openProxy(t, {
      privateRegistries: [`localhost:${port}`],
      limits: { bytesMax: 100_000 },
    });
    const seen = await exchange(
      path,
      connectTo(`localhost:${port}`),
      talk("localhost", record(23, Buffer.from("x")).toString("latin1") + "x".repeat(300_000)),
    );
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
    assert.match(
      await exchange(path, connectTo("registry.test:443"), talk("registry.test", "")),
      /\rregistry\.test$/,
    );
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
