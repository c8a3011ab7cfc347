/** What a TLS client says before anything is encrypted, and nothing that it says afterwards. */
export interface ClientHello {
  /** As it was sent; null: it names none. */
  serverName: string | null;
  /** Types of its extensions, in their order. */
  extensions: readonly number[];
}

const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const RANDOM_BYTES = 32;

/** Bytes of a handshake message whose 4 of header are there, header included. */
export function messageBytes(message: Buffer): number {
  return 4 + message.readUIntBE(1, 3);
}

/** Whether bytes, at least 6, may be the begin of one: type, a length that servers may take, and the first byte of the version. */
export function looksLikeClientHello(bytes: Buffer): boolean {
  return bytes[0] === CLIENT_HELLO && (bytes[1] as number) <= 2 && bytes[4] === 3;
}

/** Reads a whole handshake message. Throws where it is no ClientHello, has bytes too many or too few, or says something twice. */
export function readClientHello(message: Buffer): ClientHello {
  if (message[0] !== CLIENT_HELLO) throw new Error("no ClientHello");
  const body = new Fields(message.subarray(4));
  body.take(2 + RANDOM_BYTES);
  body.list(1); // session
  body.list(2); // ciphers
  body.list(1); // compressions
  const extensions: number[] = [];
  let serverName: string | null = null;
  const all = new Fields(body.isAtEnd ? Buffer.alloc(0) : body.list(2));
  while (!all.isAtEnd) {
    const type = all.number(2);
    const content = all.list(2);
    if (extensions.includes(type)) throw new Error("an extension twice");
    extensions.push(type);
    if (type === SERVER_NAME) serverName = nameIn(content);
  }
  if (!body.isAtEnd) throw new Error("bytes after the extensions");
  return { serverName, extensions };
}

function nameIn(content: Buffer): string {
  const outer = new Fields(content);
  const names = new Fields(outer.list(2));
  const type = names.number(1);
  const name = names.list(2).toString("latin1");
  if (type !== HOST_NAME || !names.isAtEnd || !outer.isAtEnd)
    throw new Error("not one name of a host");
  return name;
}

/** Reads forward; throws at the end of the bytes. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error("it ends too early");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  number(width: number): number {
    return this.take(width).readUIntBE(0, width);
  }

  /** What follows a length of so many bytes. */
  list(width: number): Buffer {
    return this.take(this.number(width));
  }
}
