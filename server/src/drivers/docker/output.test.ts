import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import { carryOutput } from "./output.ts";

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
    const done = carryOutput(from, { stdout: stdout.stream, stderr: stderr.stream });
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
  const done = carryOutput(from, { stdout: stuck, stderr: stderr.stream });
  for (let at = 0; at < 100; at += 1) from.write(frame(1, Buffer.alloc(100)));
  await delay(10);
  assert(from.readableLength + from.writableLength > 5000, "it went on reading");
  assert.equal(stuck.listenerCount("close"), 1);
  stuck.destroy();
  from.end(frame(2, Buffer.from("end")));
  await done;
  assert.equal(stderr.text(), "end");
});
