/** Frames of the channel that carries the connections to a socket of the platform (images/microvm/README.md). */
export const Kind = { open: 79, data: 68, taken: 84, end: 69, reset: 82 } as const;

export interface SocketFrame {
  kind: number;
  /** Of the connection. */
  number: number;
  bytes: Buffer;
}

const HEAD_BYTES = 6;
export const PIECE_BYTES_MAX = 16_384;

export function socketFrame(kind: number, number: number, bytes: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head[0] = kind;
  head.writeUInt16LE(number, 2);
  head.writeUInt16LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

/** So many bytes of the other side were taken. */
export function takenFrame(number: number, count: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(count);
  return socketFrame(Kind.taken, number, bytes);
}

/** Puts the frames of a stream together. Throws where a piece is longer than any may be. */
export class SocketFrames {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): SocketFrame[] {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: SocketFrame[] = [];
    while (rest.length >= HEAD_BYTES) {
      const size = rest.readUInt16LE(4);
      if (size > PIECE_BYTES_MAX) throw new Error(`a piece of ${size} bytes`);
      if (rest.length < HEAD_BYTES + size) break;
      const bytes = rest.subarray(HEAD_BYTES, HEAD_BYTES + size);
      frames.push({ kind: rest[0] as number, number: rest.readUInt16LE(2), bytes });
      rest = rest.subarray(HEAD_BYTES + size);
    }
    this.#rest = rest;
    return frames;
  }
}
