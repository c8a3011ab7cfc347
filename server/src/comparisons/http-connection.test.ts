import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createNetServer } from "node:net";
import { test } from "node:test";
import { HttpConnection, requestBytes } from "./http-connection.ts";

test("answers with a length and in chunks are counted and kept on one connection", async () => {
  let connections = 0;
  const server = createServer((request, response) => {
    if (request.url === "/none") response.writeHead(204).end();
    else if (request.url === "/chunks") response.write("abc", () => response.end("de"));
    else request.pipe(response.writeHead(201, { "content-length": 300_000 }));
  });
  server.on("connection", () => connections++);
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const connection = await HttpConnection.open({ port }, { keepsBodies: true });
  const none = await connection.call(requestBytes("/none"));
  const chunks = await connection.call(requestBytes("/chunks"));
  const sent = Buffer.alloc(300_000, "x");
  const echo = await connection.call(requestBytes("/", { method: "POST", body: sent }));
  assert.deepEqual([none.status, none.bodyBytes], [204, 0]);
  assert.deepEqual([chunks.status, chunks.body?.toString()], [200, "abcde"]);
  assert.equal(echo.status, 201);
  assert(echo.body?.equals(sent));
  assert.equal(connections, 1);
  connection.close();
  server.close();
});

test("an answer that comes byte by byte is the same answer", async () => {
  const text =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
  const server = createNetServer((socket) => {
    socket.setNoDelay(true);
    const answer = async () => {
      for (const char of text) await new Promise<void>((done) => socket.write(char, () => done()));
    };
    socket.once("data", () => void answer());
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const connection = await HttpConnection.open({ port }, { keepsBodies: true });
  const answer = await connection.call(requestBytes("/"));
  assert.equal(answer.body?.toString(), "abc0123456789");
  connection.close();
  server.close();
});

test("a connection that the server cuts fails the request under way and every later one", async () => {
  const server = createNetServer((socket) => {
    socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const connection = await HttpConnection.open({ port });
  await assert.rejects(connection.call(requestBytes("/")), /closed the connection/);
  await assert.rejects(connection.call(requestBytes("/")), /closed the connection/);
  server.close();
});
