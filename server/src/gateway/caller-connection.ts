import { Socket } from "node:net";
import type { IsolaError } from "../errors.ts";
import { type HttpReply, LINGER_MS } from "./http-reply.ts";

/** Requests of one connection that may wait for the answers before them; with the last of these the connection ends. */
const WAITING_MAX = 256;

const connectionKey = Symbol("connection");
type CallerSocket = Socket & { [connectionKey]?: CallerConnection };

/** What a connection asks of its listener. */
export interface ConnectionEvents {
  /** It is this request's turn. */
  onTurn(connection: CallerConnection, reply: HttpReply): void;
  /** A refusal as the answer to `reply`'s request. */
  refuse(reply: HttpReply, error: IsolaError): void;
  /** A refusal where no request was understood: a whole HTTP response. */
  rawRefusal(error: IsolaError): string;
}

/**
 * One caller's connection: `open -> closing -> closed`. Its requests are answered one after the other, so a later one never runs when an earlier one has ended the
 * connection, and no answer stands in another's place. Closing: what has been taken is still answered, and nothing further is.
 */
export class CallerConnection {
  readonly socket: Socket;
  readonly #events: ConnectionEvents;
  /** The latest whose turn has come; finished ones stay. */
  #current: HttpReply | null = null;
  #waiting: HttpReply[] = [];
  /** What is wrong with the last of those that wait. */
  #problem: IsolaError | null = null;
  #isClosing = false;
  #hasFailed = false;
  /** The caller has sent what nobody read. */
  #maySend = false;
  #bytesSeen = 0;
  #quietSince = 0;

  constructor(socket: Socket, events: ConnectionEvents) {
    this.socket = socket;
    this.#events = events;
    (socket as CallerSocket)[connectionKey] = this;
    socket.destroySoon = () => this.#endSoon();
  }

  static of(socket: Socket): CallerConnection {
    return (socket as CallerSocket)[connectionKey] as CallerConnection;
  }

  get current(): HttpReply | null {
    return this.#current;
  }

  /** Nothing that comes later is taken. */
  close(): void {
    this.#isClosing = true;
  }

  /** Answers it in its turn, or, after the last answer, never. */
  take(reply: HttpReply): void {
    if (this.#isClosing) {
      this.#maySend = true;
      return;
    }
    const before = this.#current;
    if (before === null || before.isFinished) {
      this.#current = reply;
      this.#events.onTurn(this, reply);
      return;
    }
    if (this.#waiting.length === 0) before.response.once("close", () => this.#next());
    this.#waiting.push(reply);
    if (this.#waiting.length < WAITING_MAX) return;
    reply.response.shouldKeepAlive = false;
    this.close();
  }

  /** The caller's bytes make no sense any more. Whole requests before are answered; the broken one gets `error` for an answer. */
  fail(error: IsolaError): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.close();
    const last = this.#waiting.at(-1) ?? this.#current;
    if (last !== null && !last.request.complete) {
      if (last === this.#current) this.#events.refuse(last, error);
      else this.#problem = error;
    } else if (last === null || last.isFinished) this.#refuse(error);
    else last.response.once("close", () => this.#refuse(error));
  }

  /** A protocol that is not spoken here has taken the connection over: there are no further requests. */
  refuseTunnel(error: IsolaError): void {
    const { socket } = this;
    socket.on("error", noop);
    this.close();
    if (this.#current === null || this.#current.isFinished) return this.#refuse(error);
    this.#current.onGone();
    socket.destroy();
  }

  /** Whether the caller has held up a body or an answer for `limitMs` without one byte of progress, as seen at each call of this. */
  stalled(now: number, limitMs: number): "body" | "answer" | null {
    const { socket } = this;
    const waits = this.#current?.waitsForBody === true;
    if (!waits && socket.writableLength === 0) {
      this.#quietSince = now;
      return null;
    }
    const bytes = socket.bytesRead + socket.bytesWritten - socket.writableLength;
    if (bytes !== this.#bytesSeen || this.#quietSince === 0) {
      this.#bytesSeen = bytes;
      this.#quietSince = now;
    }
    if (now - this.#quietSince < limitMs) return null;
    return waits ? "body" : "answer";
  }

  #next(): void {
    const { socket } = this;
    const reply = this.#waiting.shift();
    if (reply === undefined || !socket.writable) {
      this.#waiting = []; // the answer before was the last
      return;
    }
    this.#current = reply;
    if (this.#waiting.length > 0) reply.response.once("close", () => this.#next());
    if (this.#waiting.length === 0 && this.#problem !== null)
      this.#events.refuse(reply, this.#problem);
    else this.#events.onTurn(this, reply);
  }

  #refuse(error: IsolaError): void {
    const { socket } = this;
    if (!socket.writable) return; // the answer before was the last
    socket.end(this.#events.rawRefusal(error));
    this.#linger();
  }

  /**
   * Called by `node:http` after the last answer, instead of its own way: that closes at once, and where bytes of the caller lie unread the kernel then resets the
   * connection, which can take the answer away from him.
   */
  #endSoon(): void {
    this.close();
    const isWhole = this.#current === null || this.#current.request.complete;
    if (isWhole && !this.#hasFailed && !this.#maySend && this.#waiting.length === 0)
      return Socket.prototype.destroySoon.call(this.socket);
    this.socket.end();
    this.#linger();
  }

  #linger(): void {
    const { socket } = this;
    socket.resume();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }
}

function noop(): void {}
