import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { pack } from "tar-stream";
import {
  Flag,
  FrameReader,
  FrameWriter,
  LOG_LEVELS,
  Type,
  WINDOW_BYTES,
} from "../../protocol/src/frames.mjs";

const HANG_MS = 20_000;

export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}
export interface Answer {
  status: number;
  headers: [string, string][];
  body: Buffer;
  error: { code: string; type: string; message: string; stack: string } | null;
}
export interface InvokeOptions {
  id?: string;
  method?: string;
  target?: string;
  prefix?: string;
  scheme?: string;
  routeKey?: string;
  pathParameters?: string;
  headers?: [string, string][];
  /** undefined: no body at all. */
  body?: string | Buffer;
  event?: unknown;
  timeoutMs?: number;
}
export interface LogLine {
  stream: number;
  level: string;
  isStderr: boolean;
  isPartial: boolean;
  isTruncated: boolean;
  text: string;
}

/** The archive that the platform would send. */
export async function archiveOf(files: Record<string, string>, mode = 0o644): Promise<Buffer> {
  const tar = pack();
  for (const name of Object.keys(files).sort()) tar.entry({ name, mode }, files[name] ?? "");
  tar.finalize();
  return Buffer.concat((await Array.fromAsync(tar)) as Buffer[]);
}

/** A runtime in a process of its own, and the host's side of its stream. Ends with `close`, or with the test's `using`. */
export class TestHost implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly taskRoot: string;
  readonly control: Duplex;
  readonly writer: FrameWriter;
  readonly frames: Frame[] = [];
  readonly exited: Promise<number | null>;
  /** What the process wrote to descriptors 1 and 2 themselves. */
  output = "";
  #folder: string;
  #wakes = new Set<() => void>();
  #nextStream = 1;
  #isClosed = false;

  constructor(env: Record<string, string> = {}, args: string[] = []) {
    this.#folder = mkdtempSync(join(tmpdir(), "isola-runtime-"));
    this.taskRoot = join(this.#folder, "task");
    const scratch = join(this.#folder, "tmp");
    mkdirSync(scratch);
    const main = new URL("main.mjs", import.meta.url).pathname;
    this.child = spawn(process.execPath, [...args, main], {
      stdio: ["ignore", "pipe", "pipe", "pipe", "ISOLA_GATE" in env ? "pipe" : "ignore"],
      env: { PATH: process.env.PATH, TMPDIR: scratch, ISOLA_CONTROL: "fd:3", ...env },
    });
    this.control = this.child.stdio[3] as Duplex;
    this.writer = new FrameWriter((bytes) => this.control.write(bytes));
    const reader = new FrameReader("host", (type, flags, stream, buffer, start, end) =>
      this.frames.push({ type, flags, stream, payload: buffer.subarray(start, end) }),
    );
    // What says that the gate is reached, where that is this stream.
    let beside = env.ISOLA_GATE === "fd:3" ? 1 : 0;
    this.control.on("data", (chunk: Buffer) => {
      reader.push(chunk.subarray(beside));
      beside = 0;
      this.#wake();
    });
    // The runtime may end while something is being written to it; `exited` tells.
    this.control.on("error", () => this.#wake());
    this.control.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
    const keep = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    this.child.stdout?.on("data", keep);
    this.child.stderr?.on("data", keep);
    const guard = setTimeout(() => this.child.kill("SIGKILL"), 2 * HANG_MS);
    this.exited = once(this.child, "close").then(([code]) => {
      clearTimeout(guard);
      return code as number | null;
    });
  }

  /** The other end of its gate, where its environment names one (`fd:4`). */
  get gate(): Duplex {
    return this.child.stdio[4] as Duplex;
  }

  /** A runtime that has loaded these files. */
  static async ready(
    files: Record<string, string>,
    init: Record<string, unknown> = {},
  ): Promise<TestHost> {
    const host = new TestHost();
    await host.load(files, init);
    const first = await host.first((frame) =>
      [Type.READY, Type.ERROR].includes(frame.type as never),
    );
    if (first.type === Type.READY) return host;
    await host.close();
    throw new Error(`init failed: ${first.payload.toString()}`);
  }

  async load(files: Record<string, string>, init: Record<string, unknown> = {}): Promise<void> {
    await this.first((frame) => frame.type === Type.HELLO);
    this.init(init);
    this.writer.frame(Type.CODE, 0, 0, Buffer.alloc(0));
    const archive = await archiveOf(files);
    for (let at = 0; at < archive.length; at += 65_000)
      this.writer.frame(Type.CODE, 0, 0, archive.subarray(at, at + 65_000));
    this.writer.frame(Type.CODE, Flag.END, 0);
  }

  init(changes: Record<string, unknown> = {}): void {
    this.writer.json(Type.INIT, 0, {
      ...{ sandbox: "sb-7", project: "default", function: "hello", revision: 3 },
      ...{ handler: "index.handler", concurrency: 1, memoryMiB: 128, timeoutMs: 30_000 },
      ...{ initTimeoutMs: 10_000, env: {}, taskRoot: this.taskRoot },
      ...{ requestBodyBytesMax: 6_291_456, responseBodyBytesMax: 6_291_456 },
      ...{ logLineBytesMax: 262_144, ...changes },
    });
  }

  /** Opens an invocation and returns its number. The body goes out whole: beyond the window, send it with frames of your own. */
  open(options: InvokeOptions = {}): number {
    const stream = this.#nextStream++;
    const isEvent = "event" in options;
    const body = isEvent ? JSON.stringify(options.event) : options.body;
    const http = [
      ...[options.method ?? "GET", options.target ?? "/", options.prefix ?? "", "192.0.2.7"],
      ...["HTTP/1.1", options.scheme ?? "http", options.routeKey ?? "$default"],
      options.pathParameters ?? "",
    ];
    const fixed = [options.id ?? `id-${stream}`, ...(isEvent ? Array(8).fill("") : http)];
    const text = [...fixed, ...(options.headers ?? []).flat()].join("\n");
    const flags = (isEvent ? Flag.EVENT : 0) | (body === undefined ? Flag.END : 0);
    const timeoutMs = options.timeoutMs ?? 30_000;
    this.writer.invoke(flags, stream, timeoutMs, Date.now() + timeoutMs, text);
    if (body !== undefined) this.writer.body(Flag.END, stream, Buffer.from(body));
    return stream;
  }

  async invoke(options: InvokeOptions = {}): Promise<Answer> {
    return this.answer(this.open(options));
  }

  /** Waits for the end of a stream; returns credit as the response comes. */
  async answer(stream: number): Promise<Answer> {
    let credited = 0;
    await this.until(() => {
      const received = this.bodyOf(stream).length;
      if (received - credited >= WINDOW_BYTES / 4) {
        this.writer.credit(stream, received - credited);
        credited = received;
      }
      return this.isDone(stream);
    });
    const own = this.frames.filter((frame) => frame.stream === stream);
    const error = own.find((frame) => frame.type === Type.ERROR);
    const head = own.find((frame) => frame.type === Type.HEAD);
    const [status, ...lines] = head?.payload.toString("latin1").split("\n") ?? ["0"];
    const headers: [string, string][] = [];
    for (let at = 0; at < lines.length; at += 2)
      headers.push([lines[at] ?? "", lines[at + 1] ?? ""]);
    return {
      ...{ status: Number(status), headers, body: this.bodyOf(stream) },
      error: error === undefined ? null : JSON.parse(error.payload.toString()),
    };
  }

  isDone(stream: number): boolean {
    return this.frames.some(
      (frame) =>
        frame.stream === stream &&
        (frame.type === Type.ERROR ||
          ((frame.type === Type.HEAD || frame.type === Type.BODY) && frame.flags === Flag.END)),
    );
  }

  bodyOf(stream: number): Buffer {
    const body = this.frames.filter((frame) => frame.stream === stream && frame.type === Type.BODY);
    return Buffer.concat(body.map((frame) => frame.payload));
  }

  /** Asks and waits for the answer: everything the runtime did before has been received then. */
  async ping(): Promise<{ cpuMicros: number; residentBytes: number; inProgress: number }> {
    const before = this.frames.filter((frame) => frame.type === Type.PONG).length;
    this.writer.frame(Type.PING, 0, 0, Buffer.from("12345678"));
    await this.until(() => this.frames.filter((frame) => frame.type === Type.PONG).length > before);
    const { payload } = this.frames.findLast((frame) => frame.type === Type.PONG) as Frame;
    const [cpuMicros, residentBytes, inProgress] = [8, 16, 24].map((at) =>
      payload.readDoubleLE(at),
    );
    return { cpuMicros, residentBytes, inProgress } as never;
  }

  get logs(): LogLine[] {
    const logs = this.frames.filter((frame) => frame.type === Type.LOG);
    return logs.map(({ flags, stream, payload }) => ({
      ...{ stream, level: LOG_LEVELS[flags >> 4] ?? "?", isStderr: (flags & Flag.STDERR) !== 0 },
      isPartial: (flags & Flag.PARTIAL) !== 0,
      isTruncated: (flags & Flag.TRUNCATED) !== 0,
      text: payload.toString("utf8", 8),
    }));
  }

  async first(isWanted: (frame: Frame) => boolean): Promise<Frame> {
    await this.until(() => this.frames.some(isWanted));
    return this.frames.find(isWanted) as Frame;
  }

  /** Looks again whenever something has come. Fails when the stream ends first, or after `HANG_MS`. */
  async until(isSo: () => boolean): Promise<void> {
    const guard = AbortSignal.timeout(HANG_MS);
    while (!isSo()) {
      if (this.#isClosed) throw new Error(`the runtime closed its stream: ${this.output}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wakes.add(resolve);
      guard.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      if (guard.aborted) throw new Error(`waited in vain; the runtime said: ${this.output}`);
    }
  }

  async close(): Promise<void> {
    this.control.destroy();
    this.child.kill("SIGKILL");
    await this.exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #wake(): void {
    const wakes = [...this.#wakes];
    this.#wakes.clear();
    for (const wake of wakes) wake();
  }
}
