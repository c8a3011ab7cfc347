import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { goldenText } from "../golden/generate.mjs";
import {
  Flag,
  FrameError,
  FrameReader,
  FrameWriter,
  HEADER_BYTES,
  PAYLOAD_BYTES_MAX,
  Type,
} from "./frames.mjs";

interface Golden {
  name: string;
  from: "host" | "sandbox";
  hex: string;
  type: number;
  flags: number;
  stream: number;
  payloadHex?: string;
  repeat?: { hex: string; times: number };
}
interface Broken {
  name: string;
  side: "host" | "sandbox";
  hex: string;
  reason: string;
}
interface Seen {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

const goldenFile = readFileSync(new URL("../golden/frames.json", import.meta.url), "utf8");
const golden = JSON.parse(goldenFile) as { frames: Golden[]; broken: Broken[] };
const sides = ["host", "sandbox"] as const;
const other = { host: "sandbox", sandbox: "host" } as const;

function payloadOf(frame: Golden): Buffer {
  const hex = frame.repeat ? frame.repeat.hex.repeat(frame.repeat.times) : frame.payloadHex;
  return Buffer.from(hex ?? "", "hex");
}

function bytesOf(frame: Golden): Buffer {
  const head = Buffer.from(frame.hex, "hex");
  return frame.repeat ? Buffer.concat([head, payloadOf(frame)]) : head;
}

function read(side: "host" | "sandbox", chunks: Iterable<Buffer>): Seen[] {
  const seen: Seen[] = [];
  const reader = new FrameReader(side, (type, flags, stream, buffer, start, end) =>
    seen.push({ type, flags, stream, payload: buffer.subarray(start, end) }),
  );
  for (const chunk of chunks) reader.push(chunk);
  assert.equal(reader.pendingBytes, 0);
  return seen;
}

/** `mulberry32`: the same numbers for the same seed, everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
}

describe("golden frames", () => {
  test("the file holds what the catalogue and the codec make", () => {
    assert.equal(goldenFile, goldenText());
  });

  test("every type is there from each side that may send it", () => {
    const present = new Set(golden.frames.map((frame) => `${frame.from} ${frame.type}`));
    const both = [Type.BODY, Type.CREDIT].flatMap((type) => sides.map((side) => `${side} ${type}`));
    const types = new Set(golden.frames.map((frame) => frame.type));
    assert.deepEqual([...types].sort(), Object.values(Type).sort());
    for (const needed of both) assert.ok(present.has(needed), needed);
  });

  for (const frame of golden.frames)
    test(`${frame.name} is decoded`, () => {
      const [seen, ...more] = read(other[frame.from], [bytesOf(frame)]);
      assert.deepEqual(
        { type: seen?.type, flags: seen?.flags, stream: seen?.stream, more },
        { type: frame.type, flags: frame.flags, stream: frame.stream, more: [] },
      );
      assert.ok(seen?.payload.equals(payloadOf(frame)));
    });

  for (const { name, side, hex, reason } of golden.broken)
    test(`${name} is refused`, () => {
      const reader = new FrameReader(side, () => assert.fail("a frame was handed on"));
      const fails = (error: unknown) =>
        error instanceof FrameError && error.message.includes(reason);
      assert.throws(() => reader.push(Buffer.from(hex, "hex")), fails);
    });
});

describe("FrameReader", () => {
  for (const side of sides)
    test(`gives the ${side} the same frames wherever the stream is split`, () => {
      const short = golden.frames.filter((frame) => frame.from === other[side] && !frame.repeat);
      const stream = Buffer.concat(short.map(bytesOf));
      const whole = read(side, [stream]);
      assert.equal(whole.length, short.length);
      for (let cut = 0; cut <= stream.length; cut++)
        assert.deepEqual(read(side, [stream.subarray(0, cut), stream.subarray(cut)]), whole);
      const single = Array.from(stream, (_, at) => stream.subarray(at, at + 1));
      assert.deepEqual(read(side, single), whole);
    });

  test("refuses a header before its payload has come", () => {
    const reader = new FrameReader("host", () => {});
    const header = Buffer.from("ffffffff1100000001000000", "hex");
    reader.push(header.subarray(0, HEADER_BYTES - 1));
    assert.throws(() => reader.push(header.subarray(HEADER_BYTES - 1)), FrameError);
    assert.equal(reader.pendingBytes, 0);
  });

  test("reads nothing after a breach, also one raised by onFrame", () => {
    let frames = 0;
    const reader = new FrameReader("host", () => {
      frames += 1;
      throw new FrameError("not now");
    });
    const frame = Buffer.from("000000001100000001000000", "hex");
    assert.throws(() => reader.push(Buffer.concat([frame, frame])), /not now/);
    reader.push(frame);
    assert.equal(frames, 1);
  });

  test("says how much of a frame has been received when the stream ends early", () => {
    const reader = new FrameReader("host", () => {});
    reader.push(Buffer.from("020000001100000001000000ff", "hex"));
    assert.equal(reader.pendingBytes, 13);
  });
});

describe("FrameReader with damaged streams", () => {
  /** Reads to the end or to the first error; checks that what follows an error is not read. */
  function readDamaged(
    side: "host" | "sandbox",
    stream: Buffer,
    random: (below: number) => number,
  ) {
    let frames = 0;
    let bytes = 0;
    let failure: unknown;
    const reader = new FrameReader(side, (_type, _flags, _stream, buffer, start, end) => {
      assert.equal(failure, undefined);
      assert.ok(end <= buffer.length && end - start <= PAYLOAD_BYTES_MAX);
      frames += 1;
      bytes += HEADER_BYTES + end - start;
    });
    for (let at = 0; at < stream.length; ) {
      const next = Math.min(stream.length, at + 1 + random(2000));
      try {
        reader.push(stream.subarray(at, next));
      } catch (error) {
        assert.equal(failure, undefined, "a second error");
        failure = error;
      }
      at = next;
    }
    if (failure === undefined) assert.equal(bytes + reader.pendingBytes, stream.length);
    else assert.ok(failure instanceof FrameError && failure.message.length > 0);
    assert.ok(reader.pendingBytes <= HEADER_BYTES + PAYLOAD_BYTES_MAX);
    return { frames, failed: failure !== undefined };
  }

  function damaged(valid: Buffer, random: (below: number) => number): Buffer {
    const stream = Buffer.from(valid);
    for (let changes = 1 + random(4); changes > 0; changes--) {
      const at = random(stream.length);
      stream[at] = random(2) === 0 ? random(256) : (stream[at] ?? 0) ^ (1 << random(8));
    }
    const from = random(4) === 0 ? random(stream.length) : 0;
    const to = random(4) === 0 ? from + random(stream.length - from) : stream.length;
    return stream.subarray(from, to);
  }

  for (const side of sides)
    test(`the ${side} reads frames up to the damage, then fails once, in 5,000 seeded streams`, () => {
      const frames = golden.frames.filter((frame) => frame.from === other[side] && !frame.repeat);
      const all = frames.map(bytesOf);
      let failed = 0;
      let passed = 0;
      for (let seed = 1; seed <= 5000; seed++) {
        const random = randomFrom(seed);
        const picked = Array.from({ length: 1 + random(20) }, () => all[random(all.length)]);
        const valid = Buffer.concat(picked.filter((bytes) => bytes !== undefined));
        const result = readDamaged(side, damaged(valid, random), random);
        failed += result.failed ? 1 : 0;
        passed += result.frames;
      }
      assert.ok(failed > 1000 && failed < 5000, `${failed} failed`);
      assert.ok(passed > 10_000, `${passed} frames`);
    });
});

describe("FrameWriter", () => {
  test("sends all frames of one event-loop turn at once", async () => {
    const sent: Buffer[] = [];
    const writer = new FrameWriter((bytes) => sent.push(bytes));
    writer.frame(Type.BODY, 0, 1, Buffer.from("a"));
    await Promise.resolve();
    writer.text(Type.HEAD, Flag.END, 2, "204\nx\n\u00e9");
    writer.credit(3, 70_000);
    writer.json(Type.ERROR, 4, { code: "cancelled" });
    assert.equal(sent.length, 0);
    await new Promise(setImmediate);
    assert.equal(sent.length, 1);
    writer.invoke(Flag.END, 5, 1000, 1.5, "id");
    await new Promise(setImmediate);
    assert.equal(sent.length, 2);
    assert.equal(sent[1]?.readDoubleLE(HEADER_BYTES + 4), 1.5);
    await new Promise(setImmediate);
    assert.equal(sent.length, 2);
    const types = read("host", sent.slice(0, 1)).map((frame) => frame.type);
    assert.deepEqual(types, [Type.BODY, Type.HEAD, Type.CREDIT, Type.ERROR]);
  });

  test("cuts a body into frames of at most the greatest payload", () => {
    for (const length of [0, 1, PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX + 1, 3 * PAYLOAD_BYTES_MAX]) {
      const sent: Buffer[] = [];
      const writer = new FrameWriter(
        (bytes) => sent.push(bytes),
        () => {},
      );
      const bytes = Buffer.alloc(length, "abc");
      writer.body(Flag.END, 9, bytes);
      writer.flush();
      const frames = read("host", sent);
      assert.equal(frames.length, Math.max(1, Math.ceil(length / PAYLOAD_BYTES_MAX)));
      assert.ok(Buffer.concat(frames.map((frame) => frame.payload)).equals(bytes));
      assert.deepEqual(
        frames.map((frame) => frame.flags),
        frames.map((_, at) => (at === frames.length - 1 ? Flag.END : 0)),
      );
    }
  });

  test("does not write again into bytes it has handed on", () => {
    const sent: Buffer[] = [];
    const copies: Buffer[] = [];
    const writer = new FrameWriter(
      (bytes) => {
        sent.push(bytes);
        copies.push(Buffer.from(bytes));
      },
      () => {},
    );
    for (let turn = 0; turn < 300; turn++) {
      writer.frame(Type.BODY, 0, turn + 1, Buffer.alloc(turn * 7, turn));
      writer.flush();
    }
    assert.deepEqual(sent, copies);
  });

  test("refuses a payload above the limit", () => {
    const writer = new FrameWriter(() => {});
    const tooLong = Buffer.alloc(PAYLOAD_BYTES_MAX + 1);
    assert.throws(() => writer.frame(Type.BODY, 0, 1, tooLong), FrameError);
  });
});
