import { connect } from "node:net";

export interface RawRequest {
  method: string;
  /** As it stands in the request line. */
  target: string;
  /** Sent as they are, in Latin-1; `host`, `connection` and `content-length` are added. */
  headers: [name: string, value: string][];
  body: Buffer | null;
  /** Said in `content-length` in place of the length of the body; the caller then hangs up after the body. */
  declaredBytes?: number;
}

export interface RawAnswer {
  status: number;
  headers: Map<string, string>;
  text: string;
  /** The parsed body; undefined when it is not JSON. */
  json: unknown;
}

/** One request on a connection of its own, byte for byte. Null where the server hung up without an answer. */
export async function sendRaw(url: string, request: RawRequest): Promise<RawAnswer | null> {
  const { port, hostname, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  const pieces: Buffer[] = [];
  socket.on("data", (piece: Buffer) => pieces.push(piece));
  socket.on("error", () => {
    // `close` follows; what was received until then is the answer.
  });
  const head = [
    `${request.method} ${request.target} HTTP/1.1`,
    `host: ${host}`,
    "connection: close",
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    ...lengthLine(request),
  ].join("\r\n");
  socket.write(Buffer.from(`${head}\r\n\r\n`, "latin1"));
  if (request.body !== null) socket.write(request.body);
  if (request.declaredBytes !== undefined) socket.end();
  await new Promise((resolve) => socket.once("close", resolve));
  return parseAnswer(Buffer.concat(pieces));
}

function lengthLine({ body, declaredBytes }: RawRequest): string[] {
  const bytes = declaredBytes ?? body?.length;
  return bytes === undefined ? [] : [`content-length: ${bytes}`];
}

function parseAnswer(bytes: Buffer): RawAnswer | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
    }),
  );
  const rest = bytes.subarray(end + 4);
  const text = (headers.has("transfer-encoding") ? unchunked(rest) : rest).toString("utf8");
  return { status: Number(first.split(" ")[1]), headers, text, json: parseJson(text) };
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
