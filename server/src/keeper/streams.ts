import { chmodSync, rmSync } from "node:fs";
import { type Server, type Socket, connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { IsolaError } from "../errors.ts";
import type { StreamEnds, StreamName } from "../drivers/driver.ts";

/** `<sandbox id> <stream>\n` or `<sandbox id> <stream> <bytes in hexadecimal>\n`, written by the keeper before the sandbox gets the connection; the bytes are sent back at once. */
const HEADER_BYTES_MAX = 512;
const HEADER_MS_MAX = 5000;
const BACKLOG = 4096;

export type SandboxStreams = Record<StreamName, Socket>;

interface Expected {
  streams: Partial<SandboxStreams>;
  /** Each for one stream, until it has arrived. */
  listeners: Set<Server>;
  resolve(streams: SandboxStreams): void;
  reject(error: Error): void;
}

/**
 * The gateway's end of all streams of its sandboxes: a unix socket in a folder that only this user may enter. The keeper dials, says whose stream it is, and
 * gives the connection to the sandbox as a descriptor; from then on bytes go between sandbox and gateway alone. For a sandbox that cannot be given a descriptor,
 * there is a socket for one connection, which is mounted into it.
 */
export class StreamListener {
  readonly #server: Server;
  readonly #expected = new Map<string, Expected>();
  readonly path: string;
  #listeners = 0;

  constructor(path: string) {
    this.path = path;
    this.#server = createServer((socket) => this.#onConnection(socket));
  }

  async listen(): Promise<void> {
    rmSync(this.path, { force: true });
    await listening(this.#server, this.path);
  }

  /** Resolves when all streams of the sandbox have been dialled; rejects at `giveUp`. */
  expect(id: string): { streams: Promise<SandboxStreams>; giveUp(): void } {
    const { promise, resolve, reject } = Promise.withResolvers<SandboxStreams>();
    const expected: Expected = { streams: {}, listeners: new Set(), resolve, reject };
    promise.catch(() => {}); // whoever gives up does not wait
    this.#expected.set(id, expected);
    return { streams: promise, giveUp: () => this.#giveUp(id, expected) };
  }

  /** Resolves with the path of a socket whose first connection is this stream of a sandbox that is expected. */
  async listenFor(id: string, stream: StreamName): Promise<string> {
    const expected = this.#expected.get(id);
    if (expected === undefined) throw notTaken("nobody expects them");
    this.#listeners += 1;
    const path = join(dirname(this.path), `in-${this.#listeners}`);
    const server = createServer((socket) => {
      server.close();
      expected.listeners.delete(server);
      ignoreErrors(socket);
      if (!this.#arrived(id, stream, socket)) socket.destroy();
    });
    server.maxConnections = 1;
    expected.listeners.add(server);
    rmSync(path, { force: true });
    await listening(server, path);
    // The folder keeps everybody else out; inside the sandbox it is another user's.
    chmodSync(path, 0o666);
    return path;
  }

  close(): void {
    for (const [id, expected] of this.#expected) this.#giveUp(id, expected);
    this.#server.close();
  }

  #giveUp(id: string, expected: Expected): void {
    if (this.#expected.get(id) !== expected) return;
    this.#expected.delete(id);
    for (const socket of Object.values(expected.streams)) socket.destroy();
    for (const server of expected.listeners) server.close();
    expected.reject(new IsolaError("sandbox_start_failed", `the start of ${id} was given up`));
  }

  #onConnection(socket: Socket): void {
    ignoreErrors(socket);
    const timer = setTimeout(() => socket.destroy(), HEADER_MS_MAX);
    let head = Buffer.alloc(0);
    // By `readable`, which leaves the stream as if nobody had looked: whoever reads it next starts it.
    const onReadable = () => {
      head = Buffer.concat([head, socket.read() ?? Buffer.alloc(0)]);
      const end = head.indexOf(10);
      if (end === -1 && head.length < HEADER_BYTES_MAX) return;
      clearTimeout(timer);
      socket.off("readable", onReadable);
      const line = head.toString("latin1", 0, Math.max(end, 0));
      const [id = "", stream = "", first = ""] = line.split(" ");
      if (end + 1 < head.length) socket.unshift(head.subarray(end + 1));
      if (end === -1 || !this.#arrived(id, stream as StreamName, socket)) socket.destroy();
      else if (first !== "") socket.write(Buffer.from(first, "hex"));
    };
    socket.on("readable", onReadable);
    socket.once("close", () => clearTimeout(timer));
  }

  #arrived(id: string, stream: StreamName, socket: Socket): boolean {
    const expected = this.#expected.get(id);
    if (expected === undefined || expected.streams[stream] !== undefined) return false;
    expected.streams[stream] = socket;
    const { control, stdout, stderr } = expected.streams;
    if (control === undefined || stdout === undefined || stderr === undefined) return true;
    this.#expected.delete(id);
    // A turn later: only then is the stream as if nobody had looked.
    setImmediate(() => expected.resolve({ control, stdout, stderr }));
    return true;
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, BACKLOG, resolve);
  });
}

/** A stream whose other end was killed may fail; its `close` tells the reader all it can use. */
function ignoreErrors(socket: Socket): void {
  socket.on("error", () => {});
}

/** The keeper's side. Nothing is read from the connection here: every byte belongs to the sandbox. */
export function dialler(path: string): StreamEnds["dial"] {
  return (id, stream, first) =>
    new Promise((resolve, reject) => {
      const socket = connect({ path });
      socket.pause();
      const refuse = (error: Error) => reject(notTaken(error.message));
      socket.once("error", refuse);
      socket.once("connect", () =>
        socket.write(`${id} ${stream}${first ? ` ${first.toString("hex")}` : ""}\n`, (error) => {
          if (error) return refuse(error);
          socket.off("error", refuse);
          resolve(socket);
        }),
      );
    });
}

/** A connection that is closed before it says whose it is: what a process at its limit of open files does. */
export function notTaken(how: string): IsolaError {
  return new IsolaError(
    "sandbox_start_failed",
    `the gateway did not take the sandbox's streams (${how}): it may be at its limit of open files (ulimit -n)`,
  );
}
