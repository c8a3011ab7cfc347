import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { type Server, type Socket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { ApiClient } from "./api-client.ts";

const MS_MAX = 20_000;
const never = new AbortController().signal;
const call = { method: "PUT", path: "/actions", body: { action_type: "InstanceStart" } } as const;

/** A client of a server that does with each connection what it is told; `null`: nobody listens. */
async function clientOf(
  t: TestContext,
  onRequest: ((socket: Socket, request: string) => void) | null,
): Promise<ApiClient> {
  const folder = mkdtempSync(join(tmpdir(), "isola-fc-api-"));
  const path = join(folder, "api");
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => onRequest?.(socket, bytes.toString("latin1")));
  });
  if (onRequest !== null) await new Promise<void>((resolve) => server.listen(path, resolve));
  const client = new ApiClient(path);
  t.after(() => {
    client.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return client;
}

function answer(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function fails(client: ApiClient, message: RegExp, msMax = MS_MAX): Promise<void> {
  await assert.rejects(client.call(call, msMax, never), { code: "sandbox_start_failed", message });
}

describe("the client of Firecracker's API", () => {
  test("sends a call as JSON and takes 204 for done", async (t) => {
    let asked = "";
    const client = await clientOf(t, (socket, request) => {
      asked = request;
      socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    });
    assert.equal(await client.call(call, MS_MAX, never), null);
    assert.match(asked, /^PUT \/actions HTTP\/1\.1\r\n/);
    assert.match(asked, /\r\n\r\n\{"action_type":"InstanceStart"\}$/);
  });

  test("takes what is answered with 200", async (t) => {
    const client = await clientOf(t, (socket) => socket.write(answer("200 OK", '{"id":"a"}')));
    const about = await client.call({ method: "GET", path: "/" }, MS_MAX, never);
    assert.deepEqual(about, { id: "a" });
  });

  test("makes all its calls over one connection", async (t) => {
    const seen = new Set<Socket>();
    const client = await clientOf(t, (socket) => {
      seen.add(socket);
      socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    });
    await client.call(call, MS_MAX, never);
    await client.call(call, MS_MAX, never);
    assert.equal(seen.size, 1);
  });

  test("says what Firecracker says against a call", async (t) => {
    const fault = answer("400 Bad Request", '{"fault_message":"Vsock config error: taken"}');
    const client = await clientOf(t, (socket) => socket.write(fault));
    await fails(client, /^Firecracker refused PUT \/actions: Vsock config error: taken$/);
  });

  test("shows an answer that is no fault as it is", async (t) => {
    const client = await clientOf(t, (socket) => socket.write(answer("500 Oh", "<html>")));
    await fails(client, /refused PUT \/actions: status 500, <html>$/);
  });

  test("shows no more of a fault than a thousand characters", async (t) => {
    const long = JSON.stringify({ fault_message: "x".repeat(50_000) });
    const client = await clientOf(t, (socket) => socket.write(answer("400 Bad Request", long)));
    await fails(client, /: x{1000}$/);
  });

  test("refuses an answer of 200 that is not JSON", async (t) => {
    const client = await clientOf(t, (socket) => socket.write(answer("200 OK", "fine")));
    await fails(client, /answered PUT \/actions with what is not JSON: fine/);
  });

  test("refuses what is no HTTP", async (t) => {
    const client = await clientOf(t, (socket) => socket.write("\0\0garbage\r\n\r\n"));
    await fails(client, /answer to PUT \/actions did not come: Parse Error/);
  });

  test("reads no more than 64 KiB of an answer", async (t) => {
    const client = await clientOf(t, (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      const more = () => {
        while (!socket.destroyed && socket.write(`4000\r\n${"x".repeat(0x4000)}\r\n`));
      };
      socket.on("drain", more);
      more();
    });
    await fails(client, /it is longer than 65536 bytes/);
  });

  test("waits for an answer until its deadline", async (t) => {
    const client = await clientOf(t, () => {});
    await fails(client, /did not answer PUT \/actions within 50 ms/, 50);
  });

  test("waits for the end of an answer until its deadline", async (t) => {
    const half = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
    const client = await clientOf(t, (socket) => socket.write(half));
    await fails(client, /did not answer PUT \/actions within 50 ms/, 50);
  });

  test("gives up when it is told to", async (t) => {
    const given = new AbortController();
    const client = await clientOf(t, () => given.abort());
    await assert.rejects(client.call(call, MS_MAX, given.signal), /was given up/);
  });

  test("says that the socket is gone", async (t) => {
    await fails(await clientOf(t, null), /did not come: connect ENOENT/);
    await fails(await clientOf(t, (socket) => socket.destroy()), /did not come: socket hang up/);
  });
});
