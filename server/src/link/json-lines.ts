import type { Socket } from "node:net";

/** A line above this ends the connection: the largest message is an invocation with 6 MiB bodies in base64. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * JSON values over a socket, one a line, batched per event-loop turn. `onValue` gets each; a line that is not JSON, or too long, destroys the socket
 * with the reason.
 */
export function readJsonLines(socket: Socket, onValue: (value: unknown) => void): void {
  let parts: Buffer[] = [];
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => {
    let start = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, at));
      start = at + 1;
      const line = parts.length === 1 ? parts[0] : Buffer.concat(parts);
      parts = [];
      bytes = 0;
      if (!accept(line as Buffer)) return;
    }
    if (start === chunk.length) return;
    parts.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > LINE_BYTES_MAX) socket.destroy(new Error(`message above ${LINE_BYTES_MAX} bytes`));
  });

  function accept(line: Buffer): boolean {
    try {
      onValue(JSON.parse(line.toString("utf8")));
      return true;
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  }
}

export function writeJsonLine(socket: Socket, value: unknown): void {
  if (socket.destroyed) return;
  if (socket.writableCorked === 0) {
    socket.cork();
    setImmediate(() => socket.uncork());
  }
  socket.write(`${JSON.stringify(value)}\n`);
}
