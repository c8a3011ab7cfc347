import type { Duplex } from "node:stream";
import {
  Flag,
  FrameError,
  FrameReader,
  FrameWriter,
  LOG_LEVELS,
  PAYLOAD_BYTES_MAX,
  PROTOCOL_VERSION,
  Type,
  WINDOW_BYTES,
} from "./frames.mjs";
import {
  type ChannelEnd,
  ChannelClosed,
  type ChannelEvents,
  type Hello,
  InitRefused,
  type InitSettings,
  type InvocationSink,
  type Ready,
  type SandboxError,
  type Stats,
  readError,
  readHello,
  readReady,
} from "./channel-types.ts";
import { parseResponseHead } from "./heads.ts";
import { HostStream } from "./host-stream.ts";

interface Awaited<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

type ChannelState = "connecting" | "blank" | "initialising" | "ready" | "ended";

/** Bytes of the archive given to the socket before waiting for it to drain. */
const CODE_BUFFERED_BYTES_MAX = 1_048_576;
const PINGS_MAX = 4;

/**
 * The host's end of one sandbox's byte stream: `connecting -> blank -> initialising -> ready -> ended`. Everything that comes from the sandbox is checked
 * here; the first breach ends the channel and destroys the stream.
 */
export class HostChannel {
  /** Rejects with `ChannelClosed`. */
  readonly hello: Promise<Hello>;
  #state: ChannelState = "connecting";
  #end: ChannelEnd | null = null;
  #streams = new Map<number, HostStream>();
  #lastStream = 0;
  #stream: Duplex;
  #events: ChannelEvents;
  #reader: FrameReader;
  #writer: FrameWriter;
  #hello: Awaited<Hello> | null = null;
  #ready: Awaited<Ready> | null = null;
  #pings: Awaited<Stats>[] = [];
  #headsWaiting: HostStream[] = [];

  /** `schedule` runs a task when the current turn's work is done; what one turn writes goes out in one piece. */
  constructor(
    stream: Duplex,
    events: ChannelEvents,
    schedule: (task: () => void) => unknown = setImmediate,
  ) {
    this.#stream = stream;
    this.#events = events;
    this.hello = new Promise((resolve, reject) => {
      this.#hello = { resolve, reject };
    });
    this.hello.catch(() => {
      // Whoever awaits `hello` sees the rejection; a channel nobody awaited yet must not end the process.
    });
    this.#writer = new FrameWriter((bytes) => this.#stream.write(bytes), schedule);
    this.#reader = new FrameReader("host", (type, flags, id, buffer, start, end) =>
      this.#onFrame(type, flags, id, buffer, start, end),
    );
    stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    stream.on("error", (error: Error) => this.end(`control stream failed: ${error.message}`));
    stream.on("end", () => this.end(this.#cutReason()));
    stream.on("close", () => this.end("control stream closed"));
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  get ended(): ChannelEnd | null {
    return this.#end;
  }

  /** Sends settings and code; resolves when the code is loaded. Rejects with `InitRefused` or `ChannelClosed`. Once per channel. */
  async init(
    settings: InitSettings,
    code: Iterable<Buffer> | AsyncIterable<Buffer>,
  ): Promise<Ready> {
    if (this.#end !== null) throw new ChannelClosed(this.#end);
    if (this.#state !== "blank") throw new Error(`init in state ${this.#state}`);
    this.#state = "initialising";
    const ready = new Promise<Ready>((resolve, reject) => {
      this.#ready = { resolve, reject };
    });
    ready.catch(() => {
      // Awaited below, after the code has been sent.
    });
    this.#writer.json(Type.INIT, 0, settings);
    for await (const chunk of code) {
      if (this.#end !== null) break;
      for (let at = 0; at < chunk.length; at += PAYLOAD_BYTES_MAX)
        this.#writer.frame(Type.CODE, 0, 0, chunk.subarray(at, at + PAYLOAD_BYTES_MAX));
      if (this.#stream.writableLength > CODE_BUFFERED_BYTES_MAX) await this.#drained();
    }
    if (this.#end === null) this.#writer.frame(Type.CODE, Flag.END, 0);
    this.#writer.flush();
    return await ready;
  }

  /** Sends an invocation. `text` is `invokeText(...)`. The sink hears of everything that follows. Throws `FrameError`, and nothing was sent, when it does not fit a frame. */
  open(
    flags: number,
    limit: { timeoutMs: number; deadlineMs: number },
    text: string,
    sink: InvocationSink,
  ): HostStream {
    const stream = new HostStream(this.#lastStream + 1, sink, (flags & Flag.END) !== 0);
    this.#writer.invoke(flags, stream.id, limit.timeoutMs, limit.deadlineMs, text);
    this.#lastStream = stream.id;
    this.#streams.set(stream.id, stream);
    return stream;
  }

  /** Sends request bytes, as far as credit allows; false asks the caller to stop until `onWritable`. Ignored on a stream that is done. */
  write(stream: HostStream, bytes: Buffer): boolean {
    if (!this.#streams.has(stream.id)) return true;
    if (stream.waiting.length > 0) {
      stream.waiting.push(bytes);
      return false;
    }
    const now = Math.min(bytes.length, stream.sendWindow);
    if (now > 0) {
      this.#writer.body(0, stream.id, bytes.subarray(0, now));
      stream.sendWindow -= now;
    }
    if (now < bytes.length) stream.waiting.push(bytes.subarray(now));
    return stream.sendWindow > 0;
  }

  /** The request body is complete. */
  finish(stream: HostStream): void {
    stream.isRequestEnded = true;
    if (this.#streams.has(stream.id) && stream.waiting.length === 0)
      this.#writer.frame(Type.BODY, Flag.END, stream.id);
  }

  /** The host has passed on this many response bytes. */
  consumed(stream: HostStream, bytes: number): void {
    stream.owed += bytes;
    if (stream.owed < WINDOW_BYTES / 4 || !this.#streams.has(stream.id)) return;
    this.#writer.credit(stream.id, stream.owed);
    stream.receiveWindow += stream.owed;
    stream.owed = 0;
  }

  /** Asks the runtime to stop; its answer ends the stream. */
  cancel(stream: HostStream, reason: string): void {
    if (this.#streams.has(stream.id))
      this.#writer.frame(Type.CANCEL, 0, stream.id, Buffer.from(reason.slice(0, 1000)));
  }

  /** Rejects with `ChannelClosed`. */
  ping(): Promise<Stats> {
    if (this.#end !== null) return Promise.reject(new ChannelClosed(this.#end));
    if (this.#pings.length >= PINGS_MAX) return Promise.reject(new Error("too many pings wait"));
    this.#writer.frame(Type.PING, 0, 0, Buffer.alloc(8, this.#pings.length));
    return new Promise((resolve, reject) => this.#pings.push({ resolve, reject }));
  }

  /** Asks the runtime to run its shutdown hooks and exit within `graceMs`. */
  shutdown(graceMs: number): void {
    if (this.#end !== null) return;
    const payload = Buffer.alloc(4);
    payload.writeUInt32LE(graceMs);
    this.#writer.frame(Type.SHUTDOWN, 0, 0, payload);
    this.#writer.flush();
  }

  /** Ends the channel; idempotent. */
  end(reason: string, isBreach = false): void {
    if (this.#end !== null) return;
    const end = { reason, isBreach };
    this.#end = end;
    this.#state = "ended";
    this.#stream.destroy();
    const closed = new ChannelClosed(end);
    this.#hello?.reject(closed);
    this.#ready?.reject(closed);
    for (const ping of this.#pings) ping.reject(closed);
    this.#pings = [];
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.sink.onClosed(end);
    this.#events.onEnd(end);
  }

  #cutReason(): string {
    const cut = this.#reader.pendingBytes;
    return cut > 0
      ? `the sandbox closed its stream inside a frame (${cut} bytes)`
      : "the sandbox closed its stream";
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#stream.off("drain", done);
        this.#stream.off("close", done);
        resolve();
      };
      this.#stream.on("drain", done);
      this.#stream.on("close", done);
    });
  }

  #onData(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.end(error.message, true);
      return;
    }
    if (this.#headsWaiting.length === 0) return;
    const heads = this.#headsWaiting;
    this.#headsWaiting = [];
    for (const stream of heads) if (!stream.hasBody) stream.sink.onPause();
  }

  #onFrame(
    type: number,
    flags: number,
    id: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    if (this.#end !== null) return;
    switch (type) {
      case Type.HEAD:
        return this.#onHead(flags, this.#openStream(id), buffer.toString("latin1", start, end));
      case Type.BODY:
        return this.#onBody(flags, this.#openStream(id), buffer.subarray(start, end));
      case Type.LOG:
        return this.#onLog(flags, id, buffer, start, end);
      case Type.CREDIT:
        return this.#onCredit(id, buffer.readUInt32LE(start));
      case Type.ERROR:
        return this.#onError(id, readError(buffer.toString("utf8", start, end)));
      case Type.PONG:
        return this.#onPong(buffer, start);
      case Type.HELLO:
        return this.#onHello(readHello(buffer.toString("utf8", start, end)));
      case Type.READY:
        return this.#onReady(readReady(buffer.toString("utf8", start, end)));
      default:
        throw new FrameError(`frame type ${type} is not handled`);
    }
  }

  #openStream(id: number): HostStream {
    const stream = this.#streams.get(id);
    if (stream === undefined) throw new FrameError(`frame on stream ${id}, which is not open`);
    return stream;
  }

  #onHead(flags: number, stream: HostStream, text: string): void {
    if (stream.hasHead) throw new FrameError(`second response head on stream ${stream.id}`);
    const head = parseResponseHead(text);
    if (typeof head === "string") throw new FrameError(head);
    stream.hasHead = true;
    const isEnd = (flags & Flag.END) !== 0;
    if (isEnd) this.#streams.delete(stream.id);
    else this.#headsWaiting.push(stream);
    stream.sink.onHead(head.status, head.headers, isEnd);
  }

  #onBody(flags: number, stream: HostStream, bytes: Buffer): void {
    if (!stream.hasHead)
      throw new FrameError(`response body before its head on stream ${stream.id}`);
    if (bytes.length > stream.receiveWindow)
      throw new FrameError(
        `stream ${stream.id} sent ${bytes.length} bytes with a window of ${stream.receiveWindow}`,
      );
    const isEnd = (flags & Flag.END) !== 0;
    if (bytes.length === 0 && !isEnd)
      throw new FrameError(`empty body frame on stream ${stream.id}`);
    stream.receiveWindow -= bytes.length;
    stream.hasBody = true;
    if (isEnd) this.#streams.delete(stream.id);
    stream.sink.onBody(bytes, isEnd);
  }

  #onCredit(id: number, bytes: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      if (id <= this.#lastStream) return;
      throw new FrameError(`credit on stream ${id}, which never was`);
    }
    if (stream.sendWindow + bytes > WINDOW_BYTES)
      throw new FrameError(`credit of ${bytes} bytes overflows the window of stream ${id}`);
    stream.sendWindow += bytes;
    if (stream.waiting.length > 0) this.#sendWaiting(stream);
    else if (!stream.isRequestEnded) stream.sink.onWritable();
  }

  #sendWaiting(stream: HostStream): void {
    while (stream.waiting.length > 0 && stream.sendWindow > 0) {
      const bytes = stream.waiting[0] as Buffer;
      const now = Math.min(bytes.length, stream.sendWindow);
      this.#writer.body(0, stream.id, bytes.subarray(0, now));
      stream.sendWindow -= now;
      if (now === bytes.length) stream.waiting.shift();
      else stream.waiting[0] = bytes.subarray(now);
    }
    if (stream.waiting.length > 0) return;
    if (stream.isRequestEnded) this.#writer.frame(Type.BODY, Flag.END, stream.id);
    else stream.sink.onWritable();
  }

  #onError(id: number, error: SandboxError): void {
    if (id === 0) {
      if (this.#state !== "initialising") throw new FrameError("init error outside of init");
      this.#ready?.reject(new InitRefused(error));
      this.#ready = null;
      return;
    }
    const stream = this.#openStream(id);
    this.#streams.delete(id);
    stream.sink.onError(error);
  }

  #onLog(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id > this.#lastStream) throw new FrameError(`log on stream ${id}, which never was`);
    const level = LOG_LEVELS[flags >> 4];
    if (level === undefined) throw new FrameError(`unknown log level ${flags >> 4}`);
    const at = buffer.readDoubleLE(start);
    this.#events.onLog({
      stream: id,
      isStderr: (flags & Flag.STDERR) !== 0,
      isPartial: (flags & Flag.PARTIAL) !== 0,
      isTruncated: (flags & Flag.TRUNCATED) !== 0,
      level,
      at: Number.isFinite(at) ? at : 0,
      text: buffer.toString("utf8", start + 8, end),
    });
  }

  #onPong(buffer: Buffer, start: number): void {
    const ping = this.#pings.shift();
    if (ping === undefined) throw new FrameError("pong without a ping");
    ping.resolve({
      cpuMicros: buffer.readDoubleLE(start + 8),
      memoryBytes: buffer.readDoubleLE(start + 16),
      running: buffer.readDoubleLE(start + 24),
    });
  }

  #onHello(hello: Hello): void {
    if (this.#state !== "connecting") throw new FrameError("second hello");
    if (hello.protocol !== PROTOCOL_VERSION)
      throw new FrameError(
        `the runtime speaks protocol ${hello.protocol}, the host ${PROTOCOL_VERSION}`,
      );
    this.#state = "blank";
    this.#hello?.resolve(hello);
    this.#hello = null;
  }

  #onReady(ready: Ready): void {
    if (this.#state !== "initialising" || this.#ready === null)
      throw new FrameError("ready outside of init");
    this.#state = "ready";
    this.#ready.resolve(ready);
    this.#ready = null;
  }
}
