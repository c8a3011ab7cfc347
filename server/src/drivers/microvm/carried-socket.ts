import { type Socket, connect } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf } from "../../errors.ts";
import {
  Kind,
  PIECE_BYTES_MAX,
  type SocketFrame,
  SocketFrames,
  socketFrame,
  takenFrame,
} from "./socket-frames.ts";

/** What one side sends without hearing that it was taken; the guest has the same. */
const WINDOW_BYTES = 131_072;
const CONNECTIONS_MAX = 32;

/** One connection of the guest's, to the socket. */
interface Connection {
  socket: Socket;
  /** Bytes that may be sent to the guest. */
  credit: number;
  /** From the socket, and without credit yet. */
  waiting: Buffer;
  /** Of the guest, on their way into the socket; and taken by it since the guest was told. */
  unwritten: number;
  taken: number;
  hasSentEnd: boolean;
  hasGotEnd: boolean;
  socketHasEnded: boolean;
}

/**
 * The host's end of a guest's way to one unix socket of the platform: the guest opens connections, each is one to the socket, and bytes go both ways as far as the other side has taken
 * what came before. What a guest says is not trusted: connections and bytes under way are bounded, and what breaks a rule ends all of it, told once.
 */
export function carrySocket(
  channel: Duplex,
  path: string,
  onProblem: (problem: string) => void,
): void {
  const carried = new CarriedSocket(channel, path);
  const frames = new SocketFrames();
  channel.on("data", (chunk: Buffer) => {
    try {
      for (const frame of frames.push(chunk)) carried.onFrame(frame);
    } catch (error) {
      onProblem(`its way to a socket of the platform is closed: ${messageOf(error)}`);
      channel.destroy();
    }
  });
  channel.on("error", () => {}); // its close says all
  for (const end of ["end", "close"]) channel.on(end, () => carried.close());
}

class CarriedSocket {
  readonly #channel: Duplex;
  readonly #path: string;
  readonly #connections = new Map<number, Connection>();

  constructor(channel: Duplex, path: string) {
    this.#channel = channel;
    this.#path = path;
  }

  close(): void {
    for (const { socket } of this.#connections.values()) socket.destroy();
    this.#connections.clear();
  }

  /** Throws where the guest breaks a rule. */
  onFrame({ kind, number, bytes }: SocketFrame): void {
    const connection = this.#connections.get(number);
    if (kind === Kind.open) return this.#open(number);
    if (kind !== Kind.data && kind !== Kind.taken && kind !== Kind.end && kind !== Kind.reset)
      throw new Error(`a frame of kind ${kind}`);
    // What was on its way when this side gave the connection up.
    if (connection === undefined) return;
    if (kind === Kind.reset) return this.#forget(number, connection);
    if (kind === Kind.taken) return this.#onTaken(number, connection, bytes);
    if (connection.hasGotEnd) throw new Error("bytes behind the end of a connection");
    if (kind === Kind.end) {
      connection.hasGotEnd = true;
      connection.socket.end();
      return this.#forgetIfOver(number, connection);
    }
    this.#onData(number, connection, bytes);
  }

  #open(number: number): void {
    if (this.#connections.has(number)) throw new Error(`connection ${number} is open`);
    if (this.#connections.size >= CONNECTIONS_MAX)
      throw new Error(`more than ${CONNECTIONS_MAX} connections at once`);
    const socket = connect({ path: this.#path, allowHalfOpen: true });
    const connection: Connection = {
      ...{ socket, credit: WINDOW_BYTES, waiting: Buffer.alloc(0), unwritten: 0, taken: 0 },
      ...{ hasSentEnd: false, hasGotEnd: false, socketHasEnded: false },
    };
    this.#connections.set(number, connection);
    socket.on("data", (chunk: Buffer) => {
      connection.waiting = Buffer.concat([connection.waiting, chunk]);
      this.#send(number, connection);
    });
    socket.on("end", () => {
      connection.socketHasEnded = true;
      this.#send(number, connection);
    });
    socket.on("error", () => {}); // its close resets
    socket.on("close", (hasFailed) => this.#onClose(number, connection, hasFailed));
  }

  /** To the guest, as far as it has room. */
  #send(number: number, connection: Connection): void {
    if (connection.hasSentEnd) return;
    while (connection.waiting.length > 0 && connection.credit > 0) {
      const size = Math.min(connection.waiting.length, connection.credit, PIECE_BYTES_MAX);
      this.#say(socketFrame(Kind.data, number, connection.waiting.subarray(0, size)));
      connection.waiting = connection.waiting.subarray(size);
      connection.credit -= size;
    }
    if (connection.waiting.length > 0) connection.socket.pause();
    else if (connection.socketHasEnded) {
      connection.hasSentEnd = true;
      this.#say(socketFrame(Kind.end, number));
      this.#forgetIfOver(number, connection);
    } else connection.socket.resume();
  }

  #onTaken(number: number, connection: Connection, bytes: Buffer): void {
    const count = bytes.length === 4 ? bytes.readUInt32LE() : 0;
    if (count === 0 || connection.credit + count > WINDOW_BYTES)
      throw new Error("more bytes were taken than were sent");
    connection.credit += count;
    this.#send(number, connection);
  }

  #onData(number: number, connection: Connection, bytes: Buffer): void {
    connection.unwritten += bytes.length;
    if (connection.unwritten + connection.taken > WINDOW_BYTES)
      throw new Error("more bytes than there is room for");
    connection.socket.write(bytes, (error) => {
      if (error) return;
      connection.unwritten -= bytes.length;
      connection.taken += bytes.length;
      if (connection.hasGotEnd || connection.taken < WINDOW_BYTES / 2) return;
      this.#say(takenFrame(number, connection.taken));
      connection.taken = 0;
    });
  }

  /** What came whole goes on to the guest. */
  #onClose(number: number, connection: Connection, hasFailed: boolean): void {
    if (this.#connections.get(number) !== connection) return;
    if (connection.socketHasEnded && !hasFailed) return;
    this.#connections.delete(number);
    this.#say(socketFrame(Kind.reset, number));
  }

  #forget(number: number, { socket }: Connection): void {
    this.#connections.delete(number);
    socket.destroy();
  }

  /** What was written goes on into the socket, which then closes by itself. */
  #forgetIfOver(number: number, { hasSentEnd, hasGotEnd }: Connection): void {
    if (hasSentEnd && hasGotEnd) this.#connections.delete(number);
  }

  #say(frame: Buffer): void {
    if (this.#channel.writable) this.#channel.write(frame);
  }
}
