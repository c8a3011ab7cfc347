import { isIP } from "node:net";
import { Transform, type TransformCallback } from "node:stream";
import { messageOf } from "../errors.ts";
import { looksLikeClientHello, messageBytes, readClientHello } from "./client-hello.ts";
import { Refused } from "./registry-route.ts";

const HELLO_BYTES_MAX = 16_384;
const RECORD_HEADER_BYTES = 5;
/** Of TLS 1.2 with what encryption adds. */
const RECORD_BYTES_MAX = 16_384 + 2048;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
/** With it a ClientHello may follow what is encrypted. */
const EARLY_DATA = 42;
/** Hides a second ClientHello with a name of its own. */
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;

/**
 * What a build sends through a tunnel to `host`: TLS whose ClientHello names that host. Nothing passes before it was read whole; the second ClientHello that a server
 * may ask for is held against the same. Fails with `Refused` for anything else. `hello -> handshake -> open`; in the last, bytes pass as they come.
 */
export class ServerNameGuard extends Transform {
  readonly #host: string;
  readonly #timer: NodeJS.Timeout;
  #state: "hello" | "handshake" | "open" = "hello";
  /** Of a record that is not whole. */
  #rest: Buffer = Buffer.alloc(0);
  /** Records of a ClientHello that is not whole, and what is in them. */
  #held: Buffer[] = [];
  #message: Buffer = Buffer.alloc(0);

  constructor(host: string, timeoutMs: number) {
    super();
    this.#host = host;
    const late = new Refused(`no TLS ClientHello came within ${timeoutMs} ms`);
    this.#timer = setTimeout(() => this.destroy(late), timeoutMs);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#state === "open") return done(null, chunk);
    try {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      while (this.#takeRecord());
      done();
    } catch (error) {
      done(error instanceof Refused ? error : new Refused(messageOf(error)));
    }
  }

  override _flush(done: TransformCallback): void {
    const isWhole = this.#rest.length === 0 && this.#held.length === 0;
    done(isWhole ? null : new Refused("TLS ends within a record or a ClientHello"));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }

  /** false: there is no whole record to take. */
  #takeRecord(): boolean {
    if (this.#rest.length < RECORD_HEADER_BYTES) return false;
    const [type, major] = this.#rest as unknown as [number, number];
    const length = this.#rest.readUInt16BE(3);
    const isExpected = type === HANDSHAKE || (this.#state === "handshake" && type >= 20);
    if (!isExpected || type > 24 || major !== 3 || length === 0 || length > RECORD_BYTES_MAX)
      throw new Refused("a tunnel takes TLS that begins with a ClientHello");
    const end = RECORD_HEADER_BYTES + length;
    if (this.#rest.length < end) return false;
    const record = this.#rest.subarray(0, end);
    this.#rest = this.#rest.subarray(end);
    if (type === APPLICATION_DATA && this.#held.length === 0) return this.#passAll(record);
    const payload = record.subarray(RECORD_HEADER_BYTES);
    if (this.#isOfHello(type, payload)) this.#addToHello(record, payload);
    else this.push(record);
    return true;
  }

  #passAll(record: Buffer): false {
    this.#state = "open";
    this.push(record);
    if (this.#rest.length > 0) this.push(this.#rest);
    this.#rest = Buffer.alloc(0);
    return false;
  }

  #isOfHello(type: number, payload: Buffer): boolean {
    if (this.#state === "hello") return true;
    if (this.#held.length > 0) {
      if (type !== HANDSHAKE) throw new Refused("a ClientHello is interrupted");
      return true;
    }
    // What is encrypted is longer; a ClientHello may be cut into parts as short as a byte.
    if (type === HANDSHAKE && payload[0] === 1 && payload.length < 6)
      throw new Refused("a ClientHello is cut too short");
    return type === HANDSHAKE && looksLikeClientHello(payload);
  }

  #addToHello(record: Buffer, payload: Buffer): void {
    this.#held.push(record);
    this.#message = Buffer.concat([this.#message, payload]);
    const isHeadThere = this.#message.length >= 4;
    const bytes = isHeadThere ? messageBytes(this.#message) : 4;
    if (bytes > HELLO_BYTES_MAX) throw new Refused(`a ClientHello above ${HELLO_BYTES_MAX} bytes`);
    if (!isHeadThere || this.#message.length < bytes) return;
    if (this.#message.length > bytes) throw new Refused("a ClientHello with something behind it");
    this.#check(this.#message);
    clearTimeout(this.#timer);
    this.#state = "handshake";
    for (const one of this.#held) this.push(one);
    this.#held = [];
    this.#message = Buffer.alloc(0);
  }

  #check(message: Buffer): void {
    const { serverName, extensions } = readClientHello(message);
    if (extensions.includes(EARLY_DATA) || extensions.includes(ENCRYPTED_CLIENT_HELLO))
      throw new Refused("a ClientHello with early data, or an encrypted one in it");
    const isNamed =
      serverName === null ? isIP(this.#host) !== 0 : serverName.toLowerCase() === this.#host;
    if (!isNamed)
      throw new Refused(
        `the tunnel leads to ${this.#host}, but TLS names ${JSON.stringify(serverName)}`,
      );
  }
}
