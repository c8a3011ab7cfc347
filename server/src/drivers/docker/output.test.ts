import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, connect, createServer } from "node:net";
import { PassThrough, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { carryControl, carryOutput } from "./output.ts";

function frame(stream: number, text: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(text.length, 4);
  return Buffer.concat([header, text]);
}

function collector() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString("latin1") };
}

test("what a container writes arrives by stream, however the connection cuts it", async () => {
  const pieces = fc.array(
    fc.record({
      stream: fc.constantFrom(1, 2),
      text: fc.uint8Array({ maxLength: 20 }),
    }),
    { maxLength: 10 },
  );
  const property = fc.asyncProperty(pieces, fc.integer({ min: 1, max: 9 }), async (all, step) => {
    const from = new PassThrough();
    const [stdout, stderr] = [collector(), collector()];
    const sinks = { stdout: stdout.stream, stderr: stderr.stream };
    const done = carryOutput(from, sinks, new AbortController().signal);
    const bytes = Buffer.concat(all.map(({ stream, text }) => frame(stream, Buffer.from(text))));
    for (let at = 0; at < bytes.length; at += step) from.write(bytes.subarray(at, at + step));
    from.end();
    await done;
    const of = (stream: number) =>
      all
        .filter((each) => each.stream === stream)
        .map(({ text }) => Buffer.from(text).toString("latin1"))
        .join("");
    assert.deepEqual([stdout.text(), stderr.text()], [of(1), of(2)]);
    assert(stdout.stream.writableEnded && stderr.stream.writableEnded);
  });
  await fc.assert(property, { numRuns: 50, seed: 1 });
});

test("what the gateway does not take stops the reading, and a stream it has closed does not", async () => {
  const from = new PassThrough({ highWaterMark: 1000 });
  const stuck = new Writable({ highWaterMark: 10, write: () => {} });
  const stderr = collector();
  const sinks = { stdout: stuck, stderr: stderr.stream };
  const done = carryOutput(from, sinks, new AbortController().signal);
  for (let at = 0; at < 100; at += 1) from.write(frame(1, Buffer.alloc(100)));
  await delay(10);
  assert(from.readableLength + from.writableLength > 5000, "it went on reading");
  assert.equal(stuck.listenerCount("close"), 1);
  stuck.destroy();
  from.end(frame(2, Buffer.from("end")));
  await done;
  assert.equal(stderr.text(), "end");
});

test("in a hurry, what the gateway does not take is dropped, and the output comes to its end", async () => {
  const from = new PassThrough();
  const stuck = new Writable({ highWaterMark: 10, write: () => {} });
  const stderr = collector();
  const hurry = new AbortController();
  const done = carryOutput(from, { stdout: stuck, stderr: stderr.stream }, hurry.signal);
  for (let at = 0; at < 100; at += 1) from.write(frame(1, Buffer.alloc(100)));
  from.end(frame(2, Buffer.from("end")));
  hurry.abort();
  await done;
  assert.equal(stderr.text(), "end");
  assert(stuck.writableLength <= 200, `${stuck.writableLength} bytes wait`);
});

/** Two ends of a connection, as the gateway or an engine has one and the keeper the other. */
async function connection(t: TestContext): Promise<[far: Socket, near: Socket]> {
  const server = createServer({ allowHalfOpen: true });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  const near = connect(port, "127.0.0.1");
  const [far] = (await once(server, "connection")) as [Socket];
  server.close();
  for (const socket of [far, near]) socket.on("error", () => {});
  t.after(() => [far, near].map((socket) => socket.destroy()));
  return [far, near];
}

async function joined(t: TestContext) {
  const [engine, attached] = await connection(t);
  const [gateway, dialled] = await connection(t);
  carryControl(attached, dialled, new AbortController().signal);
  return { engine, gateway, attached, dialled };
}

test("a control stream goes into the container as it is, and comes out of its frames", async (t) => {
  const { engine, gateway } = await joined(t);
  const big = Buffer.alloc(1 << 20, "abc");
  gateway.write(big);
  assert(big.equals(await read(engine, big.length)));
  for (let at = 0; at < big.length; at += 50_000)
    engine.write(frame(1, big.subarray(at, at + 50_000)));
  assert(big.equals(await read(gateway, big.length)));
});

async function read(from: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of from.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes >= length) break;
  }
  return Buffer.concat(chunks);
}

test("the end of either side of a control stream is the end of the other", async (t) => {
  const one = await joined(t);
  one.engine.resetAndDestroy();
  one.gateway.resume();
  await once(one.gateway, "end");
  const other = await joined(t);
  other.gateway.resetAndDestroy();
  other.engine.resume();
  await once(other.engine, "end");
});

test("neither side of a control stream makes it hold more than a read and a full socket", async (t) => {
  const { engine, gateway, attached, dialled } = await joined(t);
  const pieces = frame(1, Buffer.alloc(60_000));
  for (let at = 0; at < 500; at += 1) {
    engine.write(pieces);
    gateway.write(pieces);
  }
  const held = () => [attached, dialled].map((each) => each.readableLength + each.writableLength);
  let before = -1;
  const moved = () => attached.bytesRead + dialled.bytesRead;
  while (moved() !== before) {
    before = moved();
    await delay(50);
  }
  assert(engine.writableLength > 0 && gateway.writableLength > 0, "nothing stopped them");
  for (const bytes of held()) assert(bytes < 400_000, `${bytes} bytes are held`);
});
