import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { connect } from "node:tls";
import { extension, helloFor, helloMessage, record, serverName } from "./client-hello.fixture.ts";
import { Refused } from "./registry-route.ts";
import { ServerNameGuard } from "./server-name-guard.ts";

const HOST = "registry.test";
const HANDSHAKE = 22;

/** What passes of `parts`, each a segment; rejects as the guard fails. */
async function passed(parts: Buffer[], host = HOST): Promise<Buffer> {
  const guard = new ServerNameGuard(host, 1000);
  const seen: Buffer[] = [];
  guard.on("data", (chunk: Buffer) => seen.push(chunk));
  const ended = once(guard, "end");
  for (const part of parts) guard.write(part);
  guard.end();
  try {
    await ended;
  } catch (error) {
    assert.equal(seen.length, 0, "nothing passes before it was refused");
    throw error;
  }
  return Buffer.concat(seen);
}

function refused(words: RegExp) {
  return (error: unknown) => error instanceof Refused && words.test(error.message);
}

function cut(bytes: Buffer, size: number): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
  return parts;
}

/** The first bytes of Node.js's own TLS. */
async function realHello(servername: string): Promise<Buffer> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: "127.0.0.1", port, servername });
  client.on("error", () => {});
  const [socket] = await once(server, "connection");
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

describe("a ClientHello", () => {
  test("that names the host passes, with what follows, however it is cut", async () => {
    const after = [record(20, Buffer.from([1])), record(23, Buffer.alloc(300)), Buffer.from("any")];
    for (const hello of [helloFor(HOST), helloFor("REGISTRY.Test"), await realHello(HOST)]) {
      const all = Buffer.concat([hello, ...after]);
      for (const size of [1, 3, 100, all.length])
        assert.deepEqual(await passed(cut(all, size)), all);
    }
    const message = helloMessage(serverName(HOST));
    const records = Buffer.concat(cut(message, 10).map((part) => record(HANDSHAKE, part)));
    assert.deepEqual(await passed(cut(records, 7)), records);
  });

  test("that names another, or none, is refused before anything passes", async () => {
    for (const name of ["other.test", `x.${HOST}`, `${HOST}.`, "", `${HOST}\0`, "registry.tes"])
      await assert.rejects(passed([helloFor(name)]), refused(/leads to registry\.test, but TLS/));
    await assert.rejects(passed([await realHello("other.test")]), refused(/"other\.test"/));
    const none = record(HANDSHAKE, helloMessage());
    await assert.rejects(passed([none]), refused(/names null/));
    for (const address of ["192.0.2.1", "2001:db8::1"]) {
      assert.deepEqual(await passed([none], address), none);
      await assert.rejects(passed([helloFor(HOST)], address), refused(/leads to/));
    }
  });

  test("that hides what it names is refused", async () => {
    const name = serverName(HOST);
    const two = Buffer.concat([name.subarray(4 + 2), serverName("other.test").subarray(4 + 2)]);
    const listed = Buffer.concat([Buffer.from([0, two.length]), two]);
    const hidden: [extensions: Buffer[], words: RegExp][] = [
      [[name, serverName("other.test")], /twice/],
      [[extension(0, listed)], /not one name/],
      [[name, extension(0xfe0d, Buffer.alloc(9))], /encrypted one/],
      [[name, extension(42, Buffer.alloc(0))], /early data/],
      [[name, Buffer.from([0, 9, 0, 9])], /too early/],
    ];
    for (const [extensions, words] of hidden)
      await assert.rejects(
        passed([record(HANDSHAKE, helloMessage(...extensions))]),
        refused(words),
      );
    const behind = Buffer.concat([helloMessage(name), helloMessage(serverName("other.test"))]);
    await assert.rejects(passed([record(HANDSHAKE, behind)]), refused(/something behind it/));
  });

  test("that a server asks for again has to name the same", async () => {
    const dummy = record(20, Buffer.from([1]));
    const [first, other] = [helloFor(HOST), helloMessage(serverName("other.test"))];
    const again = Buffer.concat([first, dummy, first, record(23, Buffer.alloc(5))]);
    assert.deepEqual(await passed(cut(again, 11)), again);
    const records = [
      [record(HANDSHAKE, other)],
      cut(other, 6).map((part) => record(HANDSHAKE, part)),
      cut(other, 5).map((part) => record(HANDSHAKE, part)),
      cut(other, 1).map((part) => record(HANDSHAKE, part)),
    ];
    for (const parts of records) {
      const guard = new ServerNameGuard(HOST, 1000);
      const ended = once(guard, "end");
      let bytes = 0;
      guard.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      for (const part of [first, dummy, ...parts]) guard.write(part);
      guard.end();
      await assert.rejects(ended, refused(/TLS names "other\.test"|cut too short/));
      assert.equal(bytes, first.length + dummy.length);
    }
    // Of TLS 1.2, encrypted: it begins with whatever number.
    const finished = Buffer.concat([first, dummy, record(HANDSHAKE, Buffer.alloc(40, 1))]);
    assert.deepEqual(await passed([finished]), finished);
  });

  test("that is something else, too large or cut off is refused", async () => {
    const large = helloMessage(serverName(HOST), extension(21, Buffer.alloc(16_384)));
    const cases: [parts: Buffer[], words: RegExp][] = [
      [[Buffer.from("GET / HTTP/1.1\r\n\r\n")], /takes TLS/],
      [[record(23, Buffer.alloc(9))], /takes TLS/],
      [[record(HANDSHAKE, Buffer.alloc(0))], /takes TLS/],
      [[record(HANDSHAKE, Buffer.alloc(60, 2))], /above 16384|no ClientHello/],
      [cut(large, 9000).map((part) => record(HANDSHAKE, part)), /above 16384 bytes/],
      [[helloFor(HOST).subarray(0, 40)], /ends within/],
    ];
    for (const [parts, words] of cases) await assert.rejects(passed(parts), refused(words));
  });

  test("that does not come is not waited for", async () => {
    const guard = new ServerNameGuard(HOST, 20);
    guard.write(helloFor(HOST).subarray(0, 40));
    const [error] = await once(guard, "error");
    assert.match(String(error), /within 20 ms/);
  });
});
