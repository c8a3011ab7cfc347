import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { describe, test } from "node:test";
import {
  type ChannelEnd,
  ChannelClosed,
  InitRefused,
  type InitSettings,
  type InvocationSink,
  type SandboxLog,
} from "./channel-types.ts";
import { Flag, FrameReader, FrameWriter, Type, WINDOW_BYTES } from "./frames.mjs";
import { invokeText } from "./heads.ts";
import { HostChannel } from "./host-channel.ts";

const settings: InitSettings = {
  sandbox: "sb-1",
  project: "default",
  function: "hello",
  revision: 1,
  handler: "index.handler",
  concurrency: 2,
  memoryMiB: 128,
  timeoutMs: 1000,
  initTimeoutMs: 1000,
  env: {},
  taskRoot: "/var/task",
  requestBodyBytesMax: 100,
  responseBodyBytesMax: 100,
  logLineBytesMax: 100,
};

interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

/** Both ends of a channel, the sandbox's in the hands of the test. */
class Bench {
  readonly logs: SandboxLog[] = [];
  readonly frames: Frame[] = [];
  readonly inside: Duplex;
  readonly writer: FrameWriter;
  readonly channel: HostChannel;
  end: ChannelEnd | null = null;

  constructor() {
    const [host, inside] = duplexPair();
    this.inside = inside;
    this.writer = new FrameWriter((bytes) => inside.write(bytes));
    this.channel = new HostChannel(host, {
      onLog: (log) => this.logs.push(log),
      onEnd: (end) => {
        assert.equal(this.end, null, "onEnd came twice");
        this.end = end;
      },
    });
    const reader = new FrameReader("sandbox", (type, flags, stream, buffer, start, end) =>
      this.frames.push({ type, flags, stream, payload: Buffer.from(buffer.subarray(start, end)) }),
    );
    inside.on("data", (chunk: Buffer) => reader.push(chunk));
    inside.on("error", () => {
      // Destroyed by the other end.
    });
  }

  async ready(): Promise<this> {
    this.writer.json(Type.HELLO, 0, { protocol: 1, runtime: "t", version: "1", pid: 1 });
    await this.channel.hello;
    const init = this.channel.init(settings, [Buffer.from("code")]);
    this.writer.json(Type.READY, 0, { kind: "lambda", buffered: true });
    await init;
    return this;
  }

  open(sink: InvocationSink, flags: number = Flag.END) {
    const lines = {
      id: "inv-1",
      method: "GET",
      target: "/",
      prefix: "",
      sourceAddress: "",
      httpVersion: "",
      scheme: "",
      routeKey: "",
      pathParameters: "",
    };
    const limit = { timeoutMs: 1000, deadlineMs: 0 };
    return this.channel.open(flags, limit, invokeText(lines, ""), sink);
  }
}

class Sink implements InvocationSink {
  readonly seen: string[] = [];
  bytes = 0;

  onHead(status: number, headers: string[], isEnd: boolean): void {
    this.seen.push(`head ${status} ${headers.join(",")}${isEnd ? " end" : ""}`);
  }
  onPause(): void {
    this.seen.push("pause");
  }
  onBody(bytes: Buffer, isEnd: boolean): void {
    this.bytes += bytes.length;
    this.seen.push(`body ${bytes.length}${isEnd ? " end" : ""}`);
  }
  onError(error: { code: string }): void {
    this.seen.push(`error ${error.code}`);
  }
  onClosed(end: ChannelEnd): void {
    this.seen.push(`closed ${end.isBreach ? "breach" : "plain"}`);
  }
  onWritable(): void {
    this.seen.push("writable");
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe("the host's end of a channel", () => {
  test("carries an invocation and forgets its stream at the end", async () => {
    const bench = await new Bench().ready();
    const sink = new Sink();
    const stream = bench.open(sink);
    bench.writer.text(Type.HEAD, 0, stream.id, "200\nx-a\n1");
    bench.writer.frame(Type.BODY, Flag.END, stream.id, Buffer.from("hi"));
    await turns();
    assert.deepEqual(sink.seen, ["head 200 x-a,1", "body 2 end"]);
    bench.writer.frame(Type.BODY, Flag.END, stream.id, Buffer.from("again"));
    await turns();
    assert.match(bench.end?.reason ?? "", /not open/);
    assert.equal(bench.end?.isBreach, true);
    assert.equal(sink.seen.length, 2, "a closed stream hears nothing more");
  });

  test("asks for the head to be sent when no body came with it", async () => {
    const bench = await new Bench().ready();
    const sink = new Sink();
    const stream = bench.open(sink);
    bench.writer.text(Type.HEAD, 0, stream.id, "200");
    await turns();
    assert.deepEqual(sink.seen, ["head 200 ", "pause"]);
  });

  test("holds request bytes beyond the window until credit comes, in order", async () => {
    const bench = await new Bench().ready();
    const sink = new Sink();
    const stream = bench.open(sink, 0);
    const bytes = Buffer.alloc(WINDOW_BYTES + 100_000, 7);
    assert.equal(bench.channel.write(stream, bytes), false);
    bench.channel.finish(stream);
    await turns();
    const received = () =>
      bench.frames
        .filter((frame) => frame.type === Type.BODY)
        .reduce((sum, frame) => sum + frame.payload.length, 0);
    assert.equal(received(), WINDOW_BYTES);
    bench.writer.credit(stream.id, 100_000);
    await turns();
    assert.equal(received(), bytes.length);
    assert.equal(bench.frames.at(-1)?.flags, Flag.END);
  });

  test("ends a request body once, whatever credit comes later", async () => {
    const bench = await new Bench().ready();
    const stream = bench.open(new Sink(), 0);
    bench.channel.write(stream, Buffer.alloc(100_000));
    bench.channel.finish(stream);
    bench.writer.credit(stream.id, 100_000);
    await turns();
    const ends = bench.frames.filter(
      (frame) => frame.type === Type.BODY && frame.flags === Flag.END,
    );
    assert.equal(ends.length, 1);
  });

  test("refuses a response that exceeds its window", async () => {
    const bench = await new Bench().ready();
    const sink = new Sink();
    const stream = bench.open(sink);
    bench.writer.text(Type.HEAD, 0, stream.id, "200");
    bench.writer.body(0, stream.id, Buffer.alloc(WINDOW_BYTES + 1));
    await turns();
    assert.match(bench.end?.reason ?? "", /window/);
    assert.equal(sink.seen.at(-1), "closed breach");
  });

  test("returns credit as the response is consumed", async () => {
    const bench = await new Bench().ready();
    const stream = bench.open(new Sink());
    bench.writer.text(Type.HEAD, 0, stream.id, "200");
    bench.writer.body(0, stream.id, Buffer.alloc(WINDOW_BYTES));
    await turns();
    bench.channel.consumed(stream, WINDOW_BYTES);
    await turns();
    assert.equal(bench.frames.at(-1)?.type, Type.CREDIT);
    bench.writer.body(0, stream.id, Buffer.alloc(WINDOW_BYTES));
    await turns();
    assert.equal(bench.end, null);
  });

  test("rejects init with the sandbox's words, or when the stream ends", async () => {
    const refused = new Bench();
    refused.writer.json(Type.HELLO, 0, { protocol: 1, runtime: "t", version: "1", pid: 1 });
    await refused.channel.hello;
    const init = refused.channel.init(settings, []);
    refused.writer.json(Type.ERROR, 0, {
      code: "init_failed",
      type: "E",
      message: "no x",
      stack: "",
    });
    await assert.rejects(
      init,
      (error: unknown) => error instanceof InitRefused && error.error.message === "no x",
    );
    const cut = new Bench();
    cut.writer.json(Type.HELLO, 0, { protocol: 1, runtime: "t", version: "1", pid: 1 });
    await cut.channel.hello;
    const second = cut.channel.init(settings, []);
    cut.inside.end();
    await assert.rejects(second, ChannelClosed);
  });

  const breaches: [string, (bench: Bench) => void, RegExp][] = [
    [
      "a second hello",
      (b) => b.writer.json(Type.HELLO, 0, { protocol: 1, runtime: "t", version: "1", pid: 1 }),
      /second hello/,
    ],
    [
      "ready without init",
      (b) => b.writer.json(Type.READY, 0, { kind: "lambda", buffered: true }),
      /ready outside/,
    ],
    [
      "an init error after init",
      (b) => b.writer.json(Type.ERROR, 0, { code: "init_failed" }),
      /outside of init/,
    ],
    [
      "a pong without a ping",
      (b) => b.writer.frame(Type.PONG, 0, 0, Buffer.alloc(32)),
      /pong without/,
    ],
    [
      "a log on a stream that never was",
      (b) => b.writer.frame(Type.LOG, 0, 9, Buffer.alloc(9)),
      /never was/,
    ],
    ["credit on a stream that never was", (b) => b.writer.credit(9, 1), /never was/],
    [
      "an answer on a stream that never was",
      (b) => b.writer.text(Type.HEAD, 0, 9, "200"),
      /not open/,
    ],
    [
      "an error that is not JSON",
      (b) => b.writer.frame(Type.ERROR, 0, 1, Buffer.from("{x")),
      /not a JSON object/,
    ],
    ["a status of 99", (b) => b.writer.text(Type.HEAD, 0, 1, "099"), /status/],
    ["a status of 100", (b) => b.writer.text(Type.HEAD, 0, 1, "100"), /status/],
    [
      "a header without a value",
      (b) => b.writer.text(Type.HEAD, 0, 1, "200\nx"),
      /without a value/,
    ],
    [
      "a body before its head",
      (b) => b.writer.frame(Type.BODY, 0, 1, Buffer.from("x")),
      /before its head/,
    ],
    ["credit that overflows", (b) => b.writer.credit(1, 2 ** 31 - 1), /overflows/],
    [
      "bytes that are no frame",
      (b) => void b.inside.write(Buffer.alloc(12, 0xff)),
      /unknown frame type/,
    ],
  ];
  for (const [name, commit, reason] of breaches)
    test(`ends at ${name}, and says so`, async () => {
      const bench = await new Bench().ready();
      const sink = new Sink();
      bench.open(sink);
      commit(bench);
      await turns();
      assert.match(bench.end?.reason ?? "", reason);
      assert.equal(bench.end?.isBreach, true);
      assert.deepEqual(sink.seen, ["closed breach"]);
    });

  test("tells every open invocation once when the sandbox goes away in the middle of a frame", async () => {
    const bench = await new Bench().ready();
    const sinks = [new Sink(), new Sink()];
    for (const sink of sinks) bench.open(sink);
    bench.inside.write(Buffer.from([5, 0, 0, 0, Type.HEAD, 0, 0]));
    bench.inside.end();
    await turns();
    assert.match(bench.end?.reason ?? "", /inside a frame/);
    for (const sink of sinks) assert.deepEqual(sink.seen, ["closed plain"]);
  });

  test("hands on log lines with their stream, file and level", async () => {
    const bench = await new Bench().ready();
    const stream = bench.open(new Sink());
    const payload = Buffer.concat([Buffer.alloc(8), Buffer.from("grüezi")]);
    payload.writeDoubleLE(1234.5);
    bench.writer.frame(Type.LOG, Flag.STDERR | (4 << 4), stream.id, payload);
    await turns();
    assert.deepEqual(bench.logs, [
      {
        stream: 1,
        isStderr: true,
        isPartial: false,
        isTruncated: false,
        level: "warn",
        at: 1234.5,
        text: "grüezi",
      },
    ]);
  });

  test("answers pings with what the sandbox uses, and fails them at the end", async () => {
    const bench = await new Bench().ready();
    const stats = bench.channel.ping();
    const pong = Buffer.alloc(32);
    pong.writeDoubleLE(5, 8);
    pong.writeDoubleLE(6, 16);
    pong.writeDoubleLE(7, 24);
    bench.writer.frame(Type.PONG, 0, 0, pong);
    assert.deepEqual(await stats, { cpuMicros: 5, memoryBytes: 6, running: 7 });
    const late = bench.channel.ping();
    bench.channel.end("test");
    await assert.rejects(late, ChannelClosed);
  });
});
