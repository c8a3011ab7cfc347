// The frames that frames.json holds, described by their meaning. generate.mjs encodes them with the codec.
import { Flag, Type } from "../src/frames.mjs";

const bytes = (/** @type {string} */ hex) => Buffer.from(hex, "hex");
const json = (/** @type {unknown} */ value) => Buffer.from(JSON.stringify(value));

/** @param {number} at @param {string} text */
function log(at, text) {
  const head = Buffer.alloc(8);
  head.writeDoubleLE(at);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** @param {number} timeoutMs @param {number} deadlineMs @param {string[]} lines */
function invoke(timeoutMs, deadlineMs, lines) {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(timeoutMs);
  head.writeDoubleLE(deadlineMs, 4);
  return Buffer.concat([head, Buffer.from(lines.join("\n"), "latin1")]);
}

/** @param {number} value */
function u32(value) {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(value);
  return payload;
}

/** @param {string} opaqueHex @param {number} cpuMicros @param {number} residentBytes @param {number} inProgress */
function pong(opaqueHex, cpuMicros, residentBytes, inProgress) {
  const payload = Buffer.alloc(32);
  payload.set(bytes(opaqueHex));
  payload.writeDoubleLE(cpuMicros, 8);
  payload.writeDoubleLE(residentBytes, 16);
  payload.writeDoubleLE(inProgress, 24);
  return payload;
}

const init = {
  sandbox: "sb-1",
  project: "default",
  function: "hello",
  revision: 3,
  handler: "index.handler",
  concurrency: 1,
  memoryMiB: 128,
  timeoutMs: 30000,
  initTimeoutMs: 10000,
  env: { KEY: "value", "Ünï": "ö\n" },
  taskRoot: "/var/task",
  requestBodyBytesMax: 6291456,
  responseBodyBytesMax: 6291456,
  logLineBytesMax: 262144,
};
const debugInit = { ...init, debug: { sockets: ["/opt/isola/debugger.sock"], isAwaited: true } };
const get = [
  ...["01J0", "GET", "/hello/w%C3%B6rld?a=1&a=2", "/hello", "192.0.2.7", "HTTP/1.1", "https"],
  ...["GET /:name", "name=w%C3%B6rld", "host", "example.test", "x-a", "1", "x-a", "caf\u00e9"],
];
const post = ["01J1", "POST", "/", "", "::1", "HTTP/1.1", "http", "$default", ""];
const event = ["01J2", "", "", "", "", "", "", "", ""];
const { END, EVENT, STDERR, PARTIAL, TRUNCATED } = Flag;
const deadlineMs = 1795478400123.5;
const failure = { code: "function_error", type: "TypeError", message: "x is not ü", stack: "a\nb" };
const initFailure = { code: "init_failed", type: "Error", message: "no handler", stack: "" };
const hello = { protocol: 1, runtime: "nodejs", version: "26.10.0", pid: 2 };

/** @typedef {{name: string, from: "host" | "sandbox", type: number, flags?: number, stream?: number, payload?: Buffer, repeat?: {hex: string, times: number}} & Record<string, unknown>} Golden */

/** `repeat` stands for a payload too long to be written out. @type {Golden[]} */
export const connection = [
  { name: "hello", from: "sandbox", type: Type.HELLO, payload: json(hello), json: hello },
  { name: "init", from: "host", type: Type.INIT, payload: json(init), json: init },
  {
    name: "init, debugged",
    from: "host",
    type: Type.INIT,
    payload: json(debugInit),
    json: debugInit,
  },
  { name: "code", from: "host", type: Type.CODE, payload: bytes("00ff10") },
  { name: "code, empty", from: "host", type: Type.CODE },
  { name: "code, last", from: "host", type: Type.CODE, flags: END, payload: bytes("00") },
  { name: "code, last and empty", from: "host", type: Type.CODE, flags: END },
  {
    name: "code, as long as can be",
    from: "host",
    type: Type.CODE,
    repeat: { hex: "61", times: 65536 },
  },
  {
    name: "ready",
    from: "sandbox",
    type: Type.READY,
    payload: json({ kind: "lambda", buffered: true }),
    json: { kind: "lambda", buffered: true },
  },
  {
    name: "error of init",
    from: "sandbox",
    type: Type.ERROR,
    payload: json(initFailure),
    json: initFailure,
  },
  {
    name: "ping",
    from: "host",
    type: Type.PING,
    payload: bytes("0102030405060708"),
    opaqueHex: "0102030405060708",
  },
  {
    name: "pong",
    from: "sandbox",
    type: Type.PONG,
    payload: pong("0102030405060708", 1234.5, 41943040, 3),
    opaqueHex: "0102030405060708",
    cpuMicros: 1234.5,
    residentBytes: 41943040,
    inProgress: 3,
  },
  { name: "shutdown at once", from: "host", type: Type.SHUTDOWN, payload: u32(0), graceMs: 0 },
  { name: "shutdown", from: "host", type: Type.SHUTDOWN, payload: u32(2000), graceMs: 2000 },
];

/** @param {string} name @param {number} flags @param {number} stream @param {string[]} lines */
function invokeFrame(name, flags, stream, lines) {
  const payload = invoke(29999, deadlineMs, lines);
  const fields = { timeoutMs: 29999, deadlineMs, text: lines.join("\n"), lines };
  return /** @type {Golden} */ ({
    name, from: "host", type: Type.INVOKE, flags, stream, payload,
    ...fields,
  });
}

/** @param {string} name @param {number} flags @param {number} stream @param {string} text */
function headFrame(name, flags, stream, text) {
  const [status, ...headers] = text.split("\n");
  const payload = Buffer.from(text, "latin1");
  return /** @type {Golden} */ ({
    name, from: "sandbox", type: Type.HEAD, flags, stream, payload,
    text, status: Number(status), headers,
  });
}

/** @param {string} name @param {number} flags @param {number} stream @param {string} text */
function logFrame(name, flags, stream, text) {
  const levels = ["none", "trace", "debug", "info", "warn", "error", "fatal"];
  return /** @type {Golden} */ ({
    name, from: "sandbox", type: Type.LOG, flags, stream, payload: log(deadlineMs, text),
    at: deadlineMs, text, level: levels[flags >> 4], isStderr: (flags & STDERR) !== 0,
    isPartial: (flags & PARTIAL) !== 0, isTruncated: (flags & TRUNCATED) !== 0,
  });
}

/** @type {Golden[]} */
export const streams = [
  invokeFrame("invoke without a body", END, 1, get),
  invokeFrame("invoke with a body", 0, 2, post),
  invokeFrame("invoke with an event", EVENT, 3, event),
  invokeFrame("invoke with an event, no body", EVENT | END, 4, event),
  {
    ...invokeFrame("invoke with the greatest numbers", END, 4294967295, post),
    payload: invoke(4294967295, Number.MAX_SAFE_INTEGER, post),
    timeoutMs: 4294967295,
    deadlineMs: Number.MAX_SAFE_INTEGER,
  },
  ...["host", "sandbox"].flatMap((from) =>
    /** @type {Golden[]} */ ([
      { name: `body from the ${from}`, from, type: Type.BODY, stream: 2, payload: bytes("000a0d") },
      { name: `body from the ${from}, empty`, from, type: Type.BODY, stream: 2 },
      {
        name: `body from the ${from}, last`,
        from, type: Type.BODY, flags: END, stream: 2, payload: bytes("ff"),
      },
      {
        name: `body from the ${from}, last and empty`,
        from, type: Type.BODY, flags: END, stream: 2,
      },
      {
        name: `body from the ${from}, as long as can be`,
        from, type: Type.BODY, flags: END, stream: 258,
        repeat: { hex: "7a", times: 65536 },
      },
      {
        name: `credit from the ${from}`,
        from, type: Type.CREDIT, stream: 2, payload: u32(65536), bytes: 65536,
      },
      {
        name: `credit from the ${from}, the most`,
        from, type: Type.CREDIT, stream: 2, payload: u32(2147483647), bytes: 2147483647,
      },
    ]),
  ),
  headFrame("head without headers or body", END, 1, "204"),
  headFrame("head", 0, 2, "200\ncontent-type\ntext/plain"),
  headFrame(
    "head with duplicates, an empty value and Latin-1",
    0,
    3,
    "599\nset-cookie\na=1\nset-cookie\nb=2\nx-empty\n\nx-l\ncaf\u00e9",
  ),
  {
    name: "error of an invocation",
    from: "sandbox", type: Type.ERROR, stream: 7, payload: json(failure), json: failure,
  },
  { name: "cancel without a reason", from: "host", type: Type.CANCEL, stream: 7, reason: "" },
  {
    name: "cancel",
    from: "host", type: Type.CANCEL, stream: 7, reason: "der Aufrufer ging \u{1f44b}",
    payload: Buffer.from("der Aufrufer ging \u{1f44b}"),
  },
  logFrame("log outside of any invocation", 0, 0, "started"),
  logFrame("log, empty line", 0, 1, ""),
  logFrame("log to stderr", STDERR, 1, "na\u00efve \u{1f600}"),
  logFrame("log in pieces", PARTIAL, 1, "the first half"),
  logFrame("log cut", STDERR | TRUNCATED, 1, "the end was dropped"),
  ...[1, 2, 3, 4, 5, 6].map((level) => logFrame(`log at level ${level}`, level << 4, 1, "text")),
];

/** @typedef {{name: string, side: "host" | "sandbox", hex: string, reason: string}} Broken */

/** Each rule of a frame broken once; `side` is the reader's own, `reason` a part of its error. @type {Broken[]} */
export const broken = [
  ["unknown type 0x00", "host", "000000000000000000000000", "unknown frame type 0x00"],
  ["unknown type 0x05", "sandbox", "000000000500000000000000", "unknown frame type 0x05"],
  ["unknown type 0xff", "host", "00000000ff00000001000000", "unknown frame type 0xff"],
  ["HELLO sent to the sandbox", "sandbox", "0200000001000000000000007b7d", "direction"],
  ["INIT sent to the host", "host", "0200000002000000000000007b7d", "direction"],
  ["CODE sent to the host", "host", "000000000301000000000000", "direction"],
  ["READY sent to the sandbox", "sandbox", "0200000004000000000000007b7d", "direction"],
  ["INVOKE sent to the host", "host", "0c00000010010000010000000000", "direction"],
  ["HEAD sent to the sandbox", "sandbox", "030000001201000001000000323030", "direction"],
  ["ERROR sent to the sandbox", "sandbox", "0200000013000000010000007b7d", "direction"],
  ["CANCEL sent to the host", "host", "000000001400000001000000", "direction"],
  ["LOG sent to the sandbox", "sandbox", "08000000200000000000000000", "direction"],
  ["PING sent to the host", "host", "0800000021000000000000000000", "direction"],
  ["PONG sent to the sandbox", "sandbox", "2000000022000000000000000000", "direction"],
  ["SHUTDOWN sent to the host", "host", "040000002300000000000000", "direction"],
  ["one byte too long", "host", "010001001100000001000000", "frame of 65537 bytes exceeds 65536"],
  ["4 GiB long", "sandbox", "ffffffff1100000001000000", "frame of 4294967295 bytes exceeds 65536"],
  ["HELLO without JSON", "host", "010000000100000000000000", "needs 2 bytes, has 1"],
  ["INIT without JSON", "sandbox", "000000000200000000000000", "needs 2 bytes, has 0"],
  ["READY without JSON", "host", "000000000400000000000000", "needs 2 bytes, has 0"],
  ["ERROR without JSON", "host", "000000001300000001000000", "needs 2 bytes, has 0"],
  ["INVOKE cut in its numbers", "sandbox", "0b0000001001000001000000", "needs 12 bytes, has 11"],
  ["HEAD without a status", "host", "020000001201000001000000", "needs 3 bytes, has 2"],
  ["CREDIT too short", "host", "030000001500000001000000", "needs 4 bytes, has 3"],
  ["CREDIT too long", "sandbox", "050000001500000001000000", "needs 4 bytes, has 5"],
  ["LOG without a time", "host", "070000002000000000000000", "needs 8 bytes, has 7"],
  ["PING too short", "sandbox", "070000002100000000000000", "needs 8 bytes, has 7"],
  ["PING too long", "sandbox", "090000002100000000000000", "needs 8 bytes, has 9"],
  ["PONG too short", "host", "1f0000002200000000000000", "needs 32 bytes, has 31"],
  ["PONG too long", "host", "210000002200000000000000", "needs 32 bytes, has 33"],
  ["SHUTDOWN too short", "sandbox", "030000002300000000000000", "needs 4 bytes, has 3"],
  ["SHUTDOWN too long", "sandbox", "050000002300000000000000", "needs 4 bytes, has 5"],
  ["HELLO with END", "host", "020000000101000000000000", "unknown flags 1"],
  ["INIT with END", "sandbox", "020000000201000000000000", "unknown flags 1"],
  ["CODE with EVENT", "sandbox", "000000000302000000000000", "unknown flags 2"],
  ["READY with END", "host", "020000000401000000000000", "unknown flags 1"],
  ["INVOKE with bit 2", "sandbox", "0c0000001004000001000000", "unknown flags 4"],
  ["BODY with EVENT", "sandbox", "000000001103000001000000", "unknown flags 3"],
  ["HEAD with EVENT", "host", "030000001202000001000000", "unknown flags 2"],
  ["ERROR with END", "host", "020000001301000001000000", "unknown flags 1"],
  ["CANCEL with END", "sandbox", "000000001401000001000000", "unknown flags 1"],
  ["CREDIT with END", "sandbox", "040000001501000001000000", "unknown flags 1"],
  ["LOG with bit 3", "host", "080000002008000000000000", "unknown flags 8"],
  ["LOG with bit 7", "host", "080000002080000000000000", "unknown flags 128"],
  ["LOG with level 7", "host", "080000002070000000000000", "unknown log level 7"],
  ["PING with a flag", "sandbox", "080000002101000000000000", "unknown flags 1"],
  ["PONG with a flag", "host", "200000002201000000000000", "unknown flags 1"],
  ["SHUTDOWN with a flag", "sandbox", "040000002301000000000000", "unknown flags 1"],
  ["first reserved byte", "sandbox", "000000001100010001000000", "reserved bits"],
  ["second reserved byte", "host", "000000001100008001000000", "reserved bits"],
  ["HELLO on a stream", "host", "020000000100000001000000", "not allowed on stream 1"],
  ["INIT on a stream", "sandbox", "020000000200000001000000", "not allowed on stream 1"],
  ["CODE on a stream", "sandbox", "000000000300000002000000", "not allowed on stream 2"],
  ["READY on a stream", "host", "020000000400000001000000", "not allowed on stream 1"],
  ["INVOKE on the connection", "sandbox", "0c0000001001000000000000", "not allowed on stream 0"],
  ["BODY on the connection", "sandbox", "000000001100000000000000", "not allowed on stream 0"],
  ["HEAD on the connection", "host", "030000001201000000000000", "not allowed on stream 0"],
  ["CANCEL on the connection", "sandbox", "000000001400000000000000", "not allowed on stream 0"],
  ["CREDIT on the connection", "host", "040000001500000000000000", "not allowed on stream 0"],
  ["PING on a stream", "sandbox", "080000002100000001000000", "not allowed on stream 1"],
  ["PONG on a stream", "host", "200000002200000001000000", "not allowed on stream 1"],
  ["SHUTDOWN on a stream", "sandbox", "040000002300000001000000", "not allowed on stream 1"],
].map(([name, side, hex, reason]) => /** @type {Broken} */ ({ name, side, hex, reason }));
