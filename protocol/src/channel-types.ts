import { FrameError, type LOG_LEVELS } from "./frames.mjs";

/** What a channel carries, in words, and how its JSON payloads are read. */

export interface Hello {
  protocol: number;
  runtime: string;
  version: string;
  pid: number;
}

export interface Ready {
  kind: "fetch" | "lambda" | "lambda-stream" | "asgi" | "wsgi";
  buffered: boolean;
}

/** The payload of `INIT`. */
export interface InitSettings {
  sandbox: string;
  project: string;
  function: string;
  revision: number;
  handler: string;
  concurrency: number;
  memoryMiB: number;
  timeoutMs: number;
  initTimeoutMs: number;
  env: Record<string, string>;
  taskRoot: string;
  requestBodyBytesMax: number;
  responseBodyBytesMax: number;
  logLineBytesMax: number;
  /** Left out: nobody debugs. */
  debug?: DebugInit;
}

export interface DebugInit {
  /** Paths of a unix socket of the host; the first that is there leads to the debugger. */
  sockets: string[];
  /** The code is loaded once a debugger is attached. */
  isAwaited: boolean;
}

/** The payload of `ERROR`: words of the sandbox, to be treated as data. */
export interface SandboxError {
  code: string;
  type: string;
  message: string;
  stack: string;
}

export interface SandboxLog {
  /** 0: outside of any invocation. */
  stream: number;
  isStderr: boolean;
  isPartial: boolean;
  isTruncated: boolean;
  level: (typeof LOG_LEVELS)[number];
  /** Unix time in ms, as the sandbox says. */
  at: number;
  text: string;
}

export interface Stats {
  cpuMicros: number;
  memoryBytes: number;
  running: number;
}

/** Why a channel ended. `isBreach`: the sandbox broke the protocol. */
export interface ChannelEnd {
  reason: string;
  isBreach: boolean;
}

/** Receives one invocation's frames, in order; nothing after `onEnd`, `onError` or `onClosed`. */
export interface InvocationSink {
  onHead(status: number, headers: string[], isEnd: boolean): void;
  /** What was read in one go has been handed on; a head without a body so far should go out now. */
  onPause(): void;
  onBody(bytes: Buffer, isEnd: boolean): void;
  onError(error: SandboxError): void;
  onClosed(end: ChannelEnd): void;
  /** The request body may go on. */
  onWritable(): void;
}

export interface ChannelEvents {
  onLog(log: SandboxLog): void;
  /** Once, when the channel has ended for any reason. Open invocations got `onClosed` before. */
  onEnd(end: ChannelEnd): void;
}

/** Init was refused by the code or the runtime: import error, missing handler ... */
export class InitRefused extends Error {
  readonly error: SandboxError;
  constructor(error: SandboxError) {
    super(error.message);
    this.name = "InitRefused";
    this.error = error;
  }
}

/** The channel ended before what was asked for. */
export class ChannelClosed extends Error {
  readonly end: ChannelEnd;
  constructor(end: ChannelEnd) {
    super(end.reason);
    this.name = "ChannelClosed";
    this.end = end;
  }
}

function readObject(text: string, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below, in the words of the protocol.
  }
  throw new FrameError(`${name} is not a JSON object`);
}

export function readHello(text: string): Hello {
  const { protocol, runtime, version, pid } = readObject(text, "hello");
  if (
    typeof protocol !== "number" ||
    typeof runtime !== "string" ||
    typeof version !== "string" ||
    typeof pid !== "number"
  )
    throw new FrameError("hello lacks protocol, runtime, version or pid");
  return { protocol, runtime, version, pid };
}

const kinds: readonly unknown[] = ["fetch", "lambda", "lambda-stream", "asgi", "wsgi"];

export function readReady(text: string): Ready {
  const { kind, buffered } = readObject(text, "ready");
  if (!kinds.includes(kind) || typeof buffered !== "boolean")
    throw new FrameError("ready lacks a known kind, or buffered");
  return { kind: kind as Ready["kind"], buffered };
}

export function readError(text: string): SandboxError {
  const { code, type, message, stack } = readObject(text, "error");
  if (typeof code !== "string") throw new FrameError("error lacks a code");
  const textOf = (value: unknown) => (typeof value === "string" ? value : "");
  return { code, type: textOf(type), message: textOf(message), stack: textOf(stack) };
}
