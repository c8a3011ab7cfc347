/** Bytes of TLS for tests. */

function prefixed(width: number, ...parts: Buffer[]): Buffer {
  const bytes = Buffer.concat(parts);
  const head = Buffer.alloc(width);
  head.writeUIntBE(bytes.length, 0, width);
  return Buffer.concat([head, bytes]);
}

export function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 255]), prefixed(2, content)]);
}

export function serverName(name: string): Buffer {
  return extension(0, prefixed(2, Buffer.from([0]), prefixed(2, Buffer.from(name, "latin1"))));
}

/** A handshake message of TLS 1.2. */
export function helloMessage(...extensions: Buffer[]): Buffer {
  const fixed = [
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    prefixed(1),
    prefixed(2, Buffer.alloc(2)),
  ];
  const all = [...fixed, prefixed(1, Buffer.alloc(1)), prefixed(2, ...extensions)];
  return Buffer.concat([Buffer.from([1]), prefixed(3, ...all)]);
}

export function record(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 3]), prefixed(2, content)]);
}

/** What a client that speaks TLS to `host` sends first. */
export function helloFor(host: string): Buffer {
  return record(22, helloMessage(extension(10, Buffer.alloc(4)), serverName(host)));
}
