import type { Socket } from "node:net";

/** A line, or what is attached to it, above this ends the connection: the largest message is an invocation with 6 MiB bodies in base64. */
const PART_BYTES_MAX = 64 * 1024 * 1024;
const NEWLINE = 10;
const attachedLine = /^\+(\d+) /;

/**
 * JSON values over a socket, one a line, batched per event-loop turn. A line `+<length> <JSON>` has that many bytes of anything attached, right behind its end.
 * `onValue` gets each; a line that is not JSON, or too long, destroys the socket with the reason.
 */
export function readJsonLines(
  socket: Socket,
  onValue: (value: unknown, attached: Buffer | null) => void,
): void {
  let parts: Buffer[] = [];
  let bytes = 0;
  /** A value whose attached bytes are on their way. */
  let awaiting: { value: unknown; length: number } | null = null;

  socket.on("data", (chunk: Buffer) => {
    try {
      for (let rest = chunk; rest.length > 0 && !socket.destroyed; ) rest = take(rest);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });

  /** Returns what lies behind the end of the line, or of what is attached. */
  function take(chunk: Buffer): Buffer {
    const end = awaiting === null ? chunk.indexOf(NEWLINE) + 1 : awaiting.length - bytes;
    const isWhole = end > 0 && end <= chunk.length;
    const part = isWhole ? chunk.subarray(0, end) : chunk;
    parts.push(part);
    bytes += part.length;
    if (bytes > PART_BYTES_MAX) throw new Error(`message above ${PART_BYTES_MAX} bytes`);
    if (isWhole) accept(parts.length === 1 ? part : Buffer.concat(parts));
    return chunk.subarray(part.length);
  }

  function accept(whole: Buffer): void {
    parts = [];
    bytes = 0;
    if (awaiting !== null) {
      const { value } = awaiting;
      awaiting = null;
      return onValue(value, whole);
    }
    const line = whole.toString("utf8");
    const attached = attachedLine.exec(line);
    if (attached === null) return onValue(JSON.parse(line), null);
    awaiting = { value: JSON.parse(line.slice(attached[0].length)), length: Number(attached[1]) };
  }
}

/** `attached`: not empty, and not to be changed from here on. */
export function writeJsonLine(socket: Socket, value: unknown, attached?: Uint8Array): void {
  if (socket.destroyed) return;
  if (socket.writableCorked === 0) {
    socket.cork();
    setImmediate(() => socket.uncork());
  }
  if (attached === undefined) {
    socket.write(`${JSON.stringify(value)}\n`);
    return;
  }
  socket.write(`+${attached.length} ${JSON.stringify(value)}\n`);
  socket.write(attached);
}
